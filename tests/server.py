"""The one PostgreSQL of a test run: started when the first test asks for it, ended with the run.

The process that pytest was called as keeps it; the workers of pytest-xdist are other processes. They share a folder:
a worker leaves a `request` there and waits for the `answer`.
"""

import json
import os
import threading
import time
from pathlib import Path

from ops.project import NAME

FOLDER = f"{NAME}-tests"
POLL_SECONDS = 0.005
SECONDS_TO_ANSWER = 180


class NoServer(Exception):
    """Why there is no PostgreSQL for the tests, in a line."""


class Keeper:
    """Waits for a request in `folder`, starts the server, and answers with the environment that leads to it."""

    def __init__(self, folder: Path, outlives: bool) -> None:
        self._folder = folder
        self._outlives = outlives
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._wait, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._ends.set()
        self._thread.join()

    def _wait(self) -> None:
        while not self._ends.wait(POLL_SECONDS):
            if (self._folder / "request").exists():
                self._serve()
                return

    def _serve(self) -> None:
        try:
            from tests import throwaway

            started = throwaway.start(outlives=self._outlives)
        except Exception as error:  # whatever it is, the tests that wait have to be told
            _write(self._folder / "answer", {"error": str(error) or type(error).__name__})
            return
        _write(self._folder / "answer", {"environment": started.environment, "described": started.described})
        try:
            throwaway.discard_abandoned()  # while the tests run: they need not wait for it
        finally:
            self._ends.wait()
            started.stop()


def ask(folder: Path) -> tuple[dict[str, str], str]:
    """The environment that leads to the run's server, and what that server is. Raises NoServer."""
    (folder / "request").touch()
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    while not (folder / "answer").exists():
        if time.monotonic() > deadline:
            raise NoServer(f"no PostgreSQL within {SECONDS_TO_ANSWER} s")
        time.sleep(POLL_SECONDS)
    answer = json.loads((folder / "answer").read_text("utf-8"))
    if "error" in answer:
        raise NoServer(answer["error"])
    return answer["environment"], answer["described"]


def _write(path: Path, answer: dict[str, object]) -> None:
    """Whole or not at all, since others wait for it; readable by this user only, since a password is in it."""
    draft = path.with_name(f"{path.name}.draft")
    with open(draft, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        json.dump(answer, file)
    draft.rename(path)
