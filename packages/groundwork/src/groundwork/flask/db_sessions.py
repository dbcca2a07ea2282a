"""PostgreSQL connections: password file, liveness check, and the request id as application_name."""

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from psycopg.pq import ExecStatus
from sqlalchemy import Dialect, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from groundwork.flask.observability import request_logging


def init_app(app: Flask, service: str, password_file: Path | None) -> None:
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
    if password_file:
        event.listen(engine, "do_connect", partial(_connect, password_file))
    event.listen(engine, "checkout", partial(_ask_and_name, service))


def _connect(
    password_file: Path, dialect: Dialect, _entry: ConnectionPoolEntry, arguments: list[Any], options: dict[str, Any]
) -> Any:
    """Try each line of the password file; return None to let SQLAlchemy connect with the last one.

    While `inv prod.up` replaces the password, the file has a line for the old one and a line for the new one: a running
    process can connect before and after the role has the new one.
    """
    *others, options["password"] = password_file.read_text("utf-8").strip().splitlines()
    for password in others:
        with suppress(psycopg.OperationalError):
            return dialect.connect(*arguments, **{**options, "password": password})
    return None


def _ask_and_name(
    service: str, connection: "psycopg.Connection[Any]", entry: ConnectionPoolEntry, _borrowed: object
) -> None:
    """Check that the server answers, in place of pool_pre_ping, and set the name, in one round trip."""
    was_used = "used" in entry.info
    entry.info["used"] = True
    try:
        # By libpq: psycopg would begin a transaction, whose rollback restores the previous name. It would also count
        # each name as a new statement, and evict repeated ones from its prepared statements.
        answer = connection.pgconn.exec_(f"SET application_name = '{request_logging.request_id() or service}'".encode())
        if answer.status != ExecStatus.COMMAND_OK:
            error = psycopg.errors.error_from_result(answer)
            raise error if error.sqlstate else psycopg.OperationalError(str(error))  # as psycopg does without a server
    except psycopg.Error as error:
        if was_used:
            raise InvalidatePoolError from error  # the others are lost too: recreate all of them
        raise
