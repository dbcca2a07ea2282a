"""The shop, assembled: the application factory."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app import access, api, commands, connections, desk, health, logs, passwords, problems, reference
from app.api.identifiers import IdConverter
from app.config import ProductionConfig, load
from app.cookies import Cookies
from app.database import db
from app.encoding import FastAnswers
from app.requests import Request

LARGEST_BODY = 64 * 1024  # bytes; an order of a hundred lines takes five thousand


def create_app(config_name: str) -> Flask:
    """Raises InvalidConfiguration, with every problem at once; connects to nothing."""
    config = load(config_name)
    logs.configure(config.LOG_LEVEL, config.LOG_FORMAT)

    app = Flask("app", static_folder=None)
    app.config.from_mapping(config.for_flask(), MAX_CONTENT_LENGTH=LARGEST_BODY)
    app.url_map.converters["id"] = IdConverter
    app.request_class = Request
    app.json = FastAnswers(app)
    app.session_interface = Cookies()
    if config.TRUSTED_PROXIES:
        app.wsgi_app = ProxyFix(app.wsgi_app, config.TRUSTED_PROXIES, config.TRUSTED_PROXIES)  # type: ignore[method-assign]  # as Flask has it done

    # Half of the threads answer other requests, whatever the other half hashes. Elsewhere threads have no number.
    passwords.turns.limit(max(config.GUNICORN_THREADS // 2, 1) if isinstance(config, ProductionConfig) else None)

    if config.METRICS_PORT:
        from app import metrics  # what is not asked for is not loaded

        metrics.init_app(app)
    db.init_app(app)
    connections.init_app(app)
    access.init_app(app)
    if config.FLASK_DEBUG:
        from app import queries

        queries.init_app(app)
    if config.OTEL_EXPORTER_OTLP_ENDPOINT:
        from app import tracing

        tracing.init_app(app, config.TRACED_PERCENT)
    problems.init_app(app)
    commands.init_app(app)

    app.register_blueprint(api.blueprint)
    app.register_blueprint(reference.blueprint)
    app.register_blueprint(desk.blueprint)
    app.register_blueprint(health.blueprint)
    return app
