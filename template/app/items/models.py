"""Table of items. Rules that must hold for every writer are database constraints."""

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from groundwork.flask.database import NAME_LENGTH, Base
from groundwork.flask.http.pagination import Paginated


class Item(Paginated, Base):
    """A thing with a name, as an example: put your own in its place."""

    __tablename__ = "items"

    name: Mapped[str] = mapped_column(String(NAME_LENGTH))

    __table_args__ = (CheckConstraint("name <> ''", "has_name"),)
