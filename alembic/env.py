"""Alembic environment: the project's tables and its database, for the migration runner."""

import os

import app.models  # noqa: F401  registers the tables in Base.metadata
from app.config import load
from groundwork.flask.database import Base
from groundwork.migrations import runner

runner.run(Base.metadata, lambda: load(os.environ.get("FLASK_CONFIG", "")).database_url)
