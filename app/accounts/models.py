"""Tables of users and their tokens."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, String, Text, collate, func
from sqlalchemy.orm import Mapped, mapped_column

from groundwork.flask.database import NAME_LENGTH, Base, Id, Moment, string_enum

EMAIL_LENGTH = 254  # the maximum in RFC 5321
TOKEN_NAME_LENGTH = 100

ONE_USER_PER_EMAIL = "uq_users_email"


class Role(StrEnum):
    CUSTOMER = "customer"
    STAFF = "staff"


class User(Base):
    __tablename__ = "users"

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(String(EMAIL_LENGTH))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    role: Mapped[Role] = mapped_column(string_enum(Role, "user_role"), server_default=Role.CUSTOMER)
    password_hash: Mapped[str | None] = mapped_column(Text)
    """The argon2 hash with its parameters and salt. A user without one cannot sign in."""
    created_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("name <> ''", "has_name"),
        # Collation "C" folds only A to Z, in every database: the rule of groundwork.flask.security.emails.
        Index(ONE_USER_PER_EMAIL, func.lower(collate(email, "C")), unique=True),
    )


class Token(Base):
    """Credential with which a program, or a browser in the back office, acts for a user.

    Only its digest is stored: the token itself cannot be read from the database.
    """

    __tablename__ = "tokens"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    name: Mapped[str] = mapped_column(String(TOKEN_NAME_LENGTH))
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[Moment]
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
