"""Connections to PostgreSQL are called by the request that they work for, in its log and in pg_stat_activity."""

from typing import Any

import psycopg
from flask import Flask
from psycopg.pq import ExecStatus
from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from app import access
from app.config import SERVICE
from app.database import db


def init_app(app: Flask) -> None:
    with app.app_context():
        event.listen(db.engine, "checkout", _ask_and_name)


def _ask_and_name(connection: "psycopg.Connection[Any]", entry: ConnectionPoolEntry, _borrowed: object) -> None:
    """One trip to the server for both: whether it still answers, in place of pool_pre_ping, and the name."""
    was_used = "used" in entry.info
    entry.info["used"] = True
    try:
        # By libpq: psycopg would begin a transaction, and a rollback bring the name before back; and it would count
        # each name as another statement, which pushes those that come again out of what it prepares.
        answer = connection.pgconn.exec_(f"SET application_name = '{access.request_id() or SERVICE}'".encode())
        if answer.status != ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(answer)
    except psycopg.Error as error:
        if was_used:
            raise InvalidatePoolError from error  # the others were lost with it: all are made anew
        raise
