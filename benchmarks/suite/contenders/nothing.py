"""The floor: rows stay, and nobody minds, since no two tests write the same."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.database import db

pytest_plugins = ["benchmarks.suite.contenders.peer"]


@pytest.fixture
def session(service_with_tables: Flask) -> Iterator[Session]:
    with service_with_tables.app_context(), db.engine.connect() as connection, Session(connection) as session:
        yield session
