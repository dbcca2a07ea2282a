"""Database sessions of the service, and classification of database errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import psycopg
from flask import request
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import BigInteger, DateTime, Engine, Enum, Identity, MetaData, func
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

INTEGER_MAX = 2**31 - 1
BIGINT_MAX = 2**63 - 1
NAME_LENGTH = 200
READS = ("GET", "HEAD")

# SQLSTATE codes or prefixes: https://www.postgresql.org/docs/18/errcodes-appendix.html
TRANSIENT_SQLSTATES = (
    "08",  # the connection failed
    "25P03",  # the transaction was idle for too long, so the server closed the connection
    "53",  # too many connections, no memory, no disk
    "57014",  # the statement took too long
    "57P",  # the server shuts down, crashed, or starts
    "40001",  # serialization failure
    "40P01",  # victim of a deadlock
    "55P03",  # lock timeout
)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


Id = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]


def string_enum(kind: type[StrEnum], name: str) -> Enum:
    """Return an enum type that stores the members' values, not their Python names."""
    return Enum(kind, name=name, values_callable=lambda members: [member.value for member in members])


class RequestSession(FlaskSession):
    def close(self) -> None:
        """Ignore a lost connection: the server has rolled back by itself, and the response stays valid."""
        try:
            super().close()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise


db = SQLAlchemy(metadata=Base.metadata, session_options={"class_": RequestSession})


def readonly_session() -> Session:
    """Return the request's session in autocommit, for reads only: no BEGIN or ROLLBACK, one transaction per statement.

    Call this before the session is first used; afterwards it returns the session unchanged.
    """
    session = db.session()
    if session.in_transaction():
        return session
    if isinstance(session.get_bind(), Engine):  # tests bind a connection that is in a transaction
        session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
    return session


def request_session() -> Session:
    """Return the request's session, from `readonly_session()` if the request only reads."""
    return readonly_session() if request.method in READS else db.session()


@contextmanager
def translate_violation(session: Session, constraint: str, fact: Exception) -> Iterator[None]:
    """Run the block in a savepoint; raise `fact` if it violates `constraint`.

    Only the block is rolled back then: the session and its earlier work stay valid.
    """
    try:
        with session.begin_nested():
            yield
    except IntegrityError as error:
        if isinstance(error.orig, psycopg.Error) and error.orig.diag.constraint_name == constraint:
            raise fact from error
        raise


def reason(error: DBAPIError | NoConnectionFree) -> str:
    """Return the database's message, or why there is no connection, in one line without the quoted rows."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    said = cause.diag.message_primary if isinstance(cause, psycopg.Error) else None
    return " ".join((said or str(cause)).split())


def is_transient(error: DBAPIError | NoConnectionFree) -> bool:
    """Return whether the error is transient: a retry a moment later may succeed."""
    if isinstance(error, NoConnectionFree) or error.connection_invalidated:
        return True
    cause = error.orig
    if not isinstance(cause, psycopg.Error):
        return False
    # An error without a code is psycopg's own: it got no connection.
    is_own = cause.sqlstate is None and isinstance(cause, psycopg.OperationalError)
    return is_own or (cause.sqlstate or "").startswith(TRANSIENT_SQLSTATES)
