"""wsgi.py, but that connections are not called by the request that they work for."""

from sqlalchemy import event

from app.connections import _ask_and_name
from app.database import db
from wsgi import app

with app.app_context():
    event.remove(db.engine, "checkout", _ask_and_name)
