"""Contender that empties all tables by TRUNCATE after each test."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from groundwork.flask.database import Base, db

pytest_plugins = ["packages.groundwork.benchmarks.suite.contenders.peer"]


@pytest.fixture
def session(service_with_tables: Flask) -> Iterator[Session]:
    with service_with_tables.app_context(), db.engine.connect() as connection:
        with Session(connection) as session:
            yield session
        connection.execute(text(f"TRUNCATE {', '.join(Base.metadata.tables)} RESTART IDENTITY CASCADE"))
        connection.commit()
