"""Contender pytest-postgresql: a template that is loaded once, and a new database from it per test."""

import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from pytest_postgresql import factories
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from groundwork.flask.database import Base
from packages.groundwork.benchmarks.suite.contenders.service import session_on, url


def create_tables(**place: Any) -> None:
    engine = create_engine(url(place["dbname"]))
    Base.metadata.create_all(engine)
    engine.dispose()


server = factories.postgresql_noproc(
    host=os.environ["POSTGRES_HOST"],
    port=os.environ["POSTGRES_PORT"],
    user=os.environ["POSTGRES_USER"],
    password=os.environ["POSTGRES_PASSWORD"],
    load=[create_tables],
)
own_database = factories.postgresql("server")


@pytest.fixture
def session(own_database: "psycopg.Connection[tuple[Any, ...]]") -> Iterator[Session]:
    with session_on(own_database.info.dbname) as session:
        yield session
