"""Contender from the tutorial: a new app and all tables per test, dropped afterwards."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from groundwork.flask.database import db
from packages.groundwork.benchmarks.suite.contenders.service import create_service

pytest_plugins = ["packages.groundwork.benchmarks.suite.contenders.peer"]


@pytest.fixture
def session(empty_database: str) -> Iterator[Session]:
    with create_service(empty_database).app_context():
        db.create_all()
        yield db.session()
        db.session.remove()
        db.drop_all()
        db.engine.dispose()
