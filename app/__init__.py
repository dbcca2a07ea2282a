"""The shop, assembled."""

from flask import Flask

from app import access, logs, problems
from app.api import api
from app.api.identifiers import IdConverter
from app.config import load
from app.database import db
from app.desk import desk
from app.health import health

LARGEST_BODY = 64 * 1024  # bytes; an order of a hundred lines takes five thousand


def create_app(config_name: str) -> Flask:
    """Raises InvalidConfiguration, with every problem at once; connects to nothing."""
    config = load(config_name)
    logs.configure(config.LOG_LEVEL, config.LOG_FORMAT)

    app = Flask(__name__, static_folder=None)
    app.config.from_mapping(config.for_flask(), MAX_CONTENT_LENGTH=LARGEST_BODY)
    app.url_map.converters["id"] = IdConverter

    db.init_app(app)
    access.init_app(app)
    problems.init_app(app)

    app.register_blueprint(api)
    app.register_blueprint(desk)
    app.register_blueprint(health)
    return app
