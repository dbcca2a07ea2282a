"""Fixtures that external contenders share: a database per worker on the server of the environment."""

import os
from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask
from psycopg import sql

from groundwork.flask.database import db
from packages.groundwork.benchmarks.suite.contenders.service import create_service, url

ENCODING = "TEMPLATE template0 ENCODING 'UTF8'"


@pytest.fixture(scope="session")
def empty_database(worker_id: str) -> Iterator[str]:
    """Create a database without tables and yield its name."""
    name = sql.Identifier(f"peer_{os.getpid()}_{worker_id}")
    maintenance = url(os.environ["POSTGRES_DB"]).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(sql.SQL(f"CREATE DATABASE {{}} {ENCODING}").format(name))
        yield name.as_string().strip('"')
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture(scope="session")
def service(empty_database: str) -> Iterator[Flask]:
    service = create_service(empty_database)
    yield service
    with service.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def service_with_tables(service: Flask) -> Flask:
    with service.app_context():
        db.create_all()
    return service
