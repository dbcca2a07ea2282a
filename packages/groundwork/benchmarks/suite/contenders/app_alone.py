"""Contender without a database that imports the app, to separate import time from database time."""

import app.models  # noqa: F401
