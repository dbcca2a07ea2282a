"""What the service does when nobody asks for it over HTTP: commands of `flask`, for a scheduler to call."""

from datetime import UTC, datetime

import structlog
from flask import Flask

from app import idempotency
from app.database import db

log: structlog.stdlib.BoundLogger = structlog.get_logger("app.commands")


def init_app(app: Flask) -> None:
    app.cli.command("forget-idempotency-keys")(forget_idempotency_keys)


def forget_idempotency_keys() -> None:
    """Delete the idempotency keys that need not be known any more."""
    forgotten = idempotency.forget(db.session(), datetime.now(UTC) - idempotency.KEPT)
    db.session.commit()
    log.info("forgot idempotency keys", keys=forgotten)
