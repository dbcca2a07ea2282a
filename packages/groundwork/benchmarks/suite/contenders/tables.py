"""Contender that creates all tables before each test and drops them afterwards, with one app for all tests."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from groundwork.flask.database import db

pytest_plugins = ["packages.groundwork.benchmarks.suite.contenders.peer"]


@pytest.fixture
def session(service: Flask) -> Iterator[Session]:
    with service.app_context():
        db.create_all()
        with Session(db.engine) as session:
            yield session
        db.drop_all()
