"""The database, as the shop sees it."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session

INTEGER_MAX = 2**31 - 1
BIGINT_MAX = 2**63 - 1


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


db = SQLAlchemy(metadata=Base.metadata)


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
