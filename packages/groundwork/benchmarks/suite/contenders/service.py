"""Service on a database of the server that the environment describes."""

import pytest
from flask import Flask
from sqlalchemy import URL, NullPool, create_engine
from sqlalchemy.orm import Session

from app.config import load
from app.factory import create_app


def create_service(database: str) -> Flask:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("APPLICATION_DB", database)
        return create_app("testing")


def url(database: str) -> URL:
    return load("testing").database_url.set(database=database)


def session_on(database: str) -> Session:
    """Open a session on a new, unpooled connection, which a per-test database requires."""
    return Session(create_engine(url(database), poolclass=NullPool))
