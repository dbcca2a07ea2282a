"""Endpoints for liveness, readiness and draining."""

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from werkzeug.exceptions import ServiceUnavailable

from groundwork.flask.database import reason

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

# Not a setting: the build of the image defines its version, not the deployment.
IMAGE_VERSION = "VERSION"
ALEMBIC_INI = "alembic.ini"  # next to the app's package

blueprint = Blueprint("health", __name__)
log: structlog.typing.FilteringBoundLogger = structlog.get_logger("app.health")


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Answer with the running version, by which a deploy sees that its version has started."""
    return {"status": "ok", "version": os.environ.get(IMAGE_VERSION, "unknown")}


@blueprint.get("/drainz")
def drainz() -> ResponseReturnValue:
    """Answer 503 while this replica drains, whatever the database does: an outage is no reason to drain."""
    if _is_draining():
        raise ServiceUnavailable("This replica is being taken out of service.")
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Answer 503 without the reason, which names hosts and migrations: the endpoint is public. The reason is logged."""
    obstacle = "This replica is being taken out of service." if _is_draining() else _obstacle()
    if obstacle:
        log.warning("not ready", reason=obstacle)
        raise ServiceUnavailable("This replica is not ready; its log says why.")
    return {"status": "ok"}


def _is_draining() -> bool:
    return Path(current_app.config["DRAIN_FILE"]).exists()


def _obstacle() -> str | None:
    # Imported here: Alembic takes a sixth of the service's import time, and no other request needs it.
    from alembic.migration import MigrationContext

    session = current_app.extensions["sqlalchemy"].session
    try:
        current = set(MigrationContext.configure(session.connection()).get_current_heads())
    except (OperationalError, NoConnectionFree) as error:
        return f"The database does not answer: {reason(error)}"
    expected = set(_migrations().get_heads())
    if _is_behind(current, expected):
        at = ", ".join(sorted(current)) or "no migration"
        return f"The database is at {at}, the code expects {', '.join(sorted(expected))}."
    return None


def _is_behind(current: set[str], expected: set[str]) -> bool:
    """Return whether migrations are missing. An unknown revision is ahead: a new release migrates before it starts."""
    known = {migration.revision for migration in _migrations().walk_revisions()}
    return not current or (current <= known and current != expected)


@cache
def _migrations() -> "ScriptDirectory":
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(Config(Path(current_app.root_path).parent / ALEMBIC_INI))
