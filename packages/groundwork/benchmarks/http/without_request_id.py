"""Variant of wsgi.py that does not name database connections after their request."""

from groundwork.flask.database import db
from wsgi import app

with app.app_context():
    db.engine.pool.dispatch.checkout.clear()
