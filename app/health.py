"""Whether the process lives, whether it can serve, and whether it is meant to."""

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

from app.database import db, reason

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

# No setting: who builds an image says what it is, and nobody who runs it.
IMAGE_VERSION = "VERSION"
ALEMBIC_INI = Path(__file__).resolve().parent.parent / "alembic.ini"

blueprint = Blueprint("health", __name__)
log: structlog.typing.FilteringBoundLogger = structlog.get_logger("app.health")


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """With the version that this is, by which a deploy sees that it has arrived."""
    return {"status": "ok", "version": os.environ.get(IMAGE_VERSION, "unknown")}


@blueprint.get("/drainz")
def drainz() -> ResponseReturnValue:
    """503 while this replica is being taken out of service, whatever the database does: that is no reason to leave."""
    if _is_draining():
        raise ServiceUnavailable("This replica is being taken out of service.")
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    obstacle = "This replica is being taken out of service." if _is_draining() else _obstacle()
    if obstacle:
        log.warning("not ready", reason=obstacle)
        raise ServiceUnavailable(obstacle)
    return {"status": "ok"}


def _is_draining() -> bool:
    return Path(current_app.config["DRAIN_FILE"]).exists()


def _obstacle() -> str | None:
    # Alembic is a sixth of what importing the service costs, and no other request needs it.
    from alembic.migration import MigrationContext

    try:
        current = MigrationContext.configure(db.session.connection()).get_current_revision()
    except (OperationalError, NoConnectionFree) as error:
        return f"The database does not answer: {reason(error)}"
    if _is_behind(current):
        return f"The database is at {current or 'no migration'}, the code expects {_migrations().get_current_head()}."
    return None


def _is_behind(current: str | None) -> bool:
    """A revision that this code does not know is ahead of it: the next release has migrated before it starts."""
    known = {migration.revision for migration in _migrations().walk_revisions()}
    return current is None or (current in known and current != _migrations().get_current_head())


@cache
def _migrations() -> "ScriptDirectory":
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(Config(ALEMBIC_INI))
