"""Start of the PostgreSQL of a run: a container if possible, else embedded, or a server left for reuse."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import psutil

from groundwork import project_commands
from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.postgresql import embedded as postgres
from groundwork.system import docker, paths, ports, shell
from groundwork.testing import container, database_pool, embedded, template
from groundwork.testing.template import Started

if TYPE_CHECKING:
    from groundwork.testing.service import Database

NOBODY = "reused"  # owner of the server that outlives its run
STATE = paths.LOCAL / "tests" / "reused.json"


class Kind(Protocol):
    def is_made(self) -> bool: ...
    def make(self) -> None: ...
    def start(self, claimed_by: str) -> Started: ...


def start(owner: str, *, outlives: bool = False) -> Started:
    """Start a server that belongs to `owner`. Raise the error if it fails; nothing is left running then."""
    if not outlives:
        kind = _best()
        make(kind)
        return kind.start(owner)

    from filelock import FileLock

    STATE.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(STATE.with_suffix(".lock")):  # parallel runs share one server
        return _reused() or _start_for_reuse()


def make(kind: Kind) -> None:
    """Build the migrated server unless it exists. A lock lets parallel runs share one build."""
    from filelock import FileLock

    STATE.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(STATE.with_name("make.lock")):
        if not kind.is_made():
            kind.make()


def discard_abandoned() -> None:
    """Remove stacks, servers, containers and folders of killed runs."""
    from groundwork.production import cleanup  # a slow import, which would delay the start of a run

    cleanup.discard_abandoned()
    embedded.discard_all()
    container.discard_all()
    prefix = f"{paths.NAME}-tests"
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}-*-*"):
        if not psutil.pid_exists(int(folder.name.removeprefix(f"{prefix}-").partition("-")[0])):
            shutil.rmtree(folder, ignore_errors=True)  # folders of other users stay


def discard(owner: str) -> None:
    embedded.discard_all(owner)
    container.discard_all(owner)


def discard_reused() -> None:
    discard(NOBODY)
    STATE.unlink(missing_ok=True)


def settings() -> Configuration:
    """Return settings without the developer's variables and secrets, so that tests are the same everywhere."""
    return loader.load("testing", environ={}, secret_folders=(paths.LOCAL / "secrets" / "testing",))


@contextmanager
def dedicated_server(folder: Path, options: Mapping[str, str]) -> Iterator[tuple[postgres.Server, "Database"]]:
    """Run an embedded server for one test, which may stop it. Yield it with a migrated database."""
    from groundwork.testing.service import Database

    chosen = settings().with_values("a test", POSTGRES_PORT=ports.any_free())
    server = postgres.Server(
        folder,
        int(chosen["POSTGRES_PORT"]),
        chosen["POSTGRES_USER"],
        chosen["POSTGRES_PASSWORD"],
        {**template.SETTINGS, **options},
        template.INITDB_OPTIONS,
    )
    server.start()
    try:
        database_pool.create(chosen.environment, chosen["APPLICATION_DB"])
        shell.read(project_commands.migrate(), chosen.environment)
        database = Database(chosen.environment)
        yield server, database
        database.close()
    finally:
        server.stop()


def _reused() -> Started | None:
    """Return the server of an earlier run if it matches the current files and accepts connections, else None."""
    state = json.loads(STATE.read_text("utf-8")) if STATE.exists() else {}
    if state.get("made_from") != template.made_from():
        return None
    import psycopg

    try:
        database_pool.drop_abandoned(state["environment"])
    except psycopg.OperationalError:
        return None
    return Started(state["environment"], state["described"])


def _start_for_reuse() -> Started:
    discard_reused()
    kind = _best()
    make(kind)
    started = kind.start(NOBODY)
    state = {
        "made_from": template.made_from(),
        "environment": started.environment,
        "described": started.described,
    }
    write_private(STATE, state)
    return started


def write_private(path: Path, document: Mapping[str, object]) -> None:
    """Write the file for its owner only, because it contains a password."""
    with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        json.dump(document, file)


def _best() -> Kind:
    container.preload()
    chosen = settings()
    try:
        return container.Container(chosen)
    except docker.NoEngine as reason:
        return embedded.Embedded(chosen, str(reason))
