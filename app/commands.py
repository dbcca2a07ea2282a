"""What the service does when nobody asks for it over HTTP: commands of `flask`, most for a scheduler to call."""

from datetime import UTC, datetime

import structlog
from flask import Flask, current_app

from app import idempotency
from app.database import db
from app.reference import document

log: structlog.stdlib.BoundLogger = structlog.get_logger("app.commands")


def init_app(app: Flask) -> None:
    app.cli.command("forget-idempotency-keys")(forget_idempotency_keys)
    app.cli.command("openapi")(openapi)


def forget_idempotency_keys() -> None:
    """Delete the idempotency keys that need not be known any more."""
    forgotten = idempotency.forget(db.session(), datetime.now(UTC) - idempotency.KEPT)
    db.session.commit()
    log.info("forgot idempotency keys", keys=forgotten)


def openapi() -> None:
    """Print the API as an OpenAPI document."""
    print(document.text(current_app), end="")
