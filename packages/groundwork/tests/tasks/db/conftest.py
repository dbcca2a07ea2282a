"""Fixtures for tests of the database tasks."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.migrations import revisions
from groundwork.postgresql import database as databases
from groundwork.postgresql.database import Database
from groundwork.system import shell
from packages.groundwork.tests.conftest import production_secrets

KNOWN = list(revisions.load_all())
FIRST, HEAD = KNOWN[0], KNOWN[-1]
SECRETS = production_secrets()


@pytest.fixture
def ran(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Record the steps of a task instead of executing them, and return the list."""
    done: list[object] = []

    @contextmanager
    def available(settings: Configuration) -> Iterator[Database]:
        yield Database(settings, "")

    @contextmanager
    def at_head(settings: Configuration) -> Iterator[Configuration]:
        revisions.require_one_head()
        done.append("compare")
        yield settings

    monkeypatch.delenv("APPLICATION_CONFIG", raising=False)
    monkeypatch.setattr(databases, "available", available)
    monkeypatch.setattr(databases, "connect_or_create", lambda _settings: SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(revisions, "upgrade_lock", lambda _settings: nullcontext(True))
    monkeypatch.setattr(revisions, "at_head", at_head)
    monkeypatch.setattr(revisions, "current", lambda _settings: revisions.heads())
    monkeypatch.setattr(databases, "drop", lambda _settings: done.append("drop"))
    monkeypatch.setattr(databases, "create", lambda _settings: done.append("create"))
    monkeypatch.setattr(shell, "run", lambda command, _values: done.append(command[2:]))
    monkeypatch.setattr(loader, "MOUNTED_SECRETS", checkout / "none")
    return done
