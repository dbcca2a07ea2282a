"""The service on a database of the server that the environment leads to."""

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
    """On a connection of its own, as a test on a database of its own has to."""
    return Session(create_engine(url(database), poolclass=NullPool))
