"""As the tutorial has it: an app and all tables for each test, created before and dropped after it."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from app.database import db
from benchmarks.suite.contenders.service import create_service

pytest_plugins = ["benchmarks.suite.contenders.peer"]


@pytest.fixture
def session(empty_database: str) -> Iterator[Session]:
    with create_service(empty_database).app_context():
        db.create_all()
        yield db.session()
        db.session.remove()
        db.drop_all()
        db.engine.dispose()
