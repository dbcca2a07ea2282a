"""Application factory."""

from importlib import import_module

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app import blueprints, commands
from app.config import InvalidConfiguration, ProductionConfig, load
from groundwork.flask import db_sessions
from groundwork.flask.database import db
from groundwork.flask.http import error_handlers
from groundwork.flask.http.flask_classes import IdConverter, Request
from groundwork.flask.http.json_provider import OrjsonProvider
from groundwork.flask.observability import logging, request_logging
from groundwork.flask.security import passwords

WITHOUT_TRACING = (
    "OTEL_EXPORTER_OTLP_ENDPOINT: needs the dependency group tracing, which is not installed: "
    "uv sync --group tracing, or build the image with --build-arg TRACING=yes"
)
LARGEST_BODY = 64 * 1024  # bytes; a list of a hundred entries takes about five thousand


def create_app(config_name: str) -> Flask:
    """Create the app without connecting to anything; raise InvalidConfiguration with every problem."""
    config = load(config_name)
    logging.configure(config.LOG_LEVEL, config.LOG_FORMAT)

    app = Flask("app", static_folder=None)
    app.config.from_mapping(config.for_flask(), MAX_CONTENT_LENGTH=LARGEST_BODY)
    app.url_map.converters["id"] = IdConverter
    app.request_class = Request
    app.json = OrjsonProvider(app)
    if config.TRUSTED_PROXIES:
        app.wsgi_app = ProxyFix(app.wsgi_app, config.TRUSTED_PROXIES, config.TRUSTED_PROXIES)  # type: ignore[method-assign]  # as Flask documents it

    # Keep half of the threads free from password hashing. Only production has a fixed number of threads.
    passwords.turns.limit(max(config.GUNICORN_THREADS // 2, 1) if isinstance(config, ProductionConfig) else None)

    if config.METRICS_PORT:
        from groundwork.flask.observability import metrics  # imported only if enabled

        metrics.init_app(app)
        for module in blueprints.METRICS:
            import_module(module)
    db.init_app(app)
    db_sessions.init_app(app, config.service, config.password_file)
    request_logging.init_app(app)
    if config.FLASK_DEBUG:
        from groundwork.flask.observability import query_logging

        query_logging.init_app(app)
    if config.OTEL_EXPORTER_OTLP_ENDPOINT:
        try:
            from groundwork.flask.observability import tracing
        except ModuleNotFoundError as missing:
            raise InvalidConfiguration(WITHOUT_TRACING) from missing

        tracing.init_app(app, config.service, config.TRACED_PERCENT)
    error_handlers.init_app(app, blueprints.ABOUT.problem_types)
    commands.init_app(app)
    blueprints.init_app(app)
    return app
