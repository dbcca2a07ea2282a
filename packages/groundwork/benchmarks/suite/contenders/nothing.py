"""Floor without cleanup: rows stay, which is safe because each test writes different rows."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from groundwork.flask.database import db

pytest_plugins = ["packages.groundwork.benchmarks.suite.contenders.peer"]


@pytest.fixture
def session(service_with_tables: Flask) -> Iterator[Session]:
    with service_with_tables.app_context(), db.engine.connect() as connection, Session(connection) as session:
        yield session
