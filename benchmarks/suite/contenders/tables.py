"""All tables created before and dropped after each test, on one app for all of them."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.database import db

pytest_plugins = ["benchmarks.suite.contenders.peer"]


@pytest.fixture
def session(service: Flask) -> Iterator[Session]:
    with service.app_context():
        db.create_all()
        with Session(db.engine) as session:
            yield session
        db.drop_all()
