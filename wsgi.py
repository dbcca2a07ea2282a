"""The service for gunicorn, uWSGI and flask: `wsgi:app`."""

import os

from click import ClickException

from app.config import InvalidConfiguration
from app.factory import create_app

try:
    app = create_app(os.environ.get("FLASK_CONFIG", ""))
except InvalidConfiguration as problems:  # `flask` shows this exception in a line, gunicorn with its traceback
    remedy = "" if "FLASK_CONFIG" in os.environ else "\nType ./inv dev, or ./inv run 'flask …': both read config/*.json"
    raise ClickException(f"{problems}{remedy}") from problems
