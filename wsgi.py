"""The service for gunicorn, uWSGI and flask: `wsgi:app`."""

import os

from app.factory import create_app

app = create_app(os.environ["FLASK_CONFIG"])
