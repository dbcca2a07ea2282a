"""Starting the PostgreSQL of a run: of the better kind that this machine can have, or the one that is running still."""

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Protocol

import psutil

from ops import configuration, engine, keeper, project
from ops.configuration import Configuration
from tests import clones, container, embedded, server, template
from tests.template import Started

NOBODY = "reused"  # claims the server that outlives its run
STATE = project.LOCAL / "tests" / "reused.json"


class Kind(Protocol):
    def is_made(self) -> bool: ...
    def make(self) -> None: ...
    def start(self, claimed_by: str) -> Started: ...


def start(*, outlives: bool) -> Started:
    """Raises what stands in the way; nothing is left running then."""
    if not outlives:
        kind = _best()
        make(kind)
        return kind.start(keeper.signature())

    from filelock import FileLock

    STATE.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(STATE.with_suffix(".lock")):  # of two runs at once, one starts what both use
        return _reused() or _start_for_reuse()


def make(kind: Kind) -> None:
    """Where it is not made yet; of two runs at once, one makes what both use."""
    from filelock import FileLock

    STATE.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(STATE.with_name("make.lock")):
        if not kind.is_made():
            kind.make()


def discard_abandoned() -> None:
    """What runs left that were killed."""
    from tests import leftovers  # loads more of the tasks than a run's start has the time for

    leftovers.discard_abandoned()
    embedded.discard_all()
    container.discard_all()
    for folder in Path(tempfile.gettempdir()).glob(f"{server.FOLDER}-*-*"):
        if not psutil.pid_exists(int(folder.name.removeprefix(f"{server.FOLDER}-").partition("-")[0])):
            shutil.rmtree(folder, ignore_errors=True)  # another user's stays


def discard_reused() -> None:
    embedded.discard_all(NOBODY)
    container.discard_all(NOBODY)
    STATE.unlink(missing_ok=True)


def settings() -> Configuration:
    """Neither the developer's variables nor the secrets of another database: tests are the same everywhere."""
    return configuration.load("testing", environ={}, secret_folders=(project.LOCAL / "secrets" / "testing",))


def _reused() -> Started | None:
    """The server that an earlier run left, if it was made from what is here now, and answers."""
    state = json.loads(STATE.read_text("utf-8")) if STATE.exists() else {}
    if state.get("made_from") != template.made_from():
        return None
    import psycopg

    try:
        clones.drop_abandoned(state["environment"])
    except psycopg.OperationalError:
        return None
    return Started(state["environment"], state["described"], stop=lambda: None)


def _start_for_reuse() -> Started:
    discard_reused()
    kind = _best()
    make(kind)
    started = kind.start(NOBODY)
    started.leave()
    state = {
        "made_from": template.made_from(),
        "environment": started.environment,
        "described": started.described,
    }
    with open(STATE, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:  # a password is in it
        json.dump(state, file)
    return Started(started.environment, started.described, stop=lambda: None)


def _best() -> Kind:
    container.preload()
    chosen = settings()
    try:
        return container.Container(chosen)
    except engine.NoEngine as reason:
        return embedded.Embedded(chosen, str(reason))
