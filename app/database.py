"""The database, as the shop sees it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from flask import request
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Engine, MetaData
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm import DeclarativeBase, Session

INTEGER_MAX = 2**31 - 1
BIGINT_MAX = 2**63 - 1
READS = ("GET", "HEAD")

# Whole codes, or how they begin: https://www.postgresql.org/docs/18/errcodes-appendix.html
PASSING = (
    "08",  # the connection failed
    "53",  # too many connections, no memory, no disk
    "57P",  # the server shuts down, crashed, or starts
    "40001",  # could not be as if it had been alone
    "40P01",  # was chosen to end a deadlock
    "55P03",  # a lock was not to be had in time
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


class RequestSession(FlaskSession):
    def close(self) -> None:
        """Where the connection is lost by now, the server has rolled back itself, and the answer stands."""
        try:
            super().close()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise


db = SQLAlchemy(metadata=Base.metadata, session_options={"class_": RequestSession})


def reading() -> Session:
    """The request's session, for reads only: without BEGIN and ROLLBACK, each statement is a transaction of its own.

    To be asked for before anything else is done with the session; later it is what it was before.
    """
    session = db.session()
    if session.in_transaction():
        return session
    if isinstance(session.get_bind(), Engine):  # who lends it a connection, as tests do, has a transaction there
        session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
    return session


def of_request() -> Session:
    """The request's session: `reading()` for one that only reads."""
    return reading() if request.method in READS else db.session()


def only_row(session: Session, statement: str, *values: object) -> tuple[Any, ...] | None:
    """The row that it gives, if any, by psycopg alone: for what each request asks, a third of what it costs by Core.

    What listens to the engine's statements does not hear of it. Raises what Core does.
    """
    connection = session.connection()
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101  for mypy
    try:
        row: tuple[Any, ...] | None = driver.execute(statement, values).fetchone()
    except psycopg.Error as error:
        if driver.closed:
            connection.invalidate(error)
        raise DBAPIError(
            statement, None, error, hide_parameters=True, connection_invalidated=connection.invalidated
        ) from error
    return row


@contextmanager
def refusal(session: Session, constraint: str, fact: Exception) -> Iterator[None]:
    """Write what is inside to the database, and raise `fact` where `constraint` refuses it.

    Only what is inside is lost then: the session and what it did before stay good.
    """
    try:
        with session.begin_nested():
            yield
    except IntegrityError as error:
        if isinstance(error.orig, psycopg.Error) and error.orig.diag.constraint_name == constraint:
            raise fact from error
        raise


def reason(error: DBAPIError | NoConnectionFree) -> str:
    """What the database said, or why nothing could be asked, in a line, without the rows that it quotes."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    said = cause.diag.message_primary if isinstance(cause, psycopg.Error) else None
    return " ".join((said or str(cause)).split())


def is_passing(error: DBAPIError | NoConnectionFree) -> bool:
    """Whether it lies with the database, or with who else uses it: the same may work a moment later."""
    if isinstance(error, NoConnectionFree) or error.connection_invalidated:
        return True
    cause = error.orig
    # One without a code is psycopg's own: it got no connection.
    return isinstance(cause, psycopg.OperationalError) and (cause.sqlstate or "08").startswith(PASSING)
