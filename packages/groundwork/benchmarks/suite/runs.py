"""Runs of pytest in separate processes, each for one contender."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from groundwork.system import paths
from packages.groundwork.benchmarks.measure import Failed

CONTENDERS = Path("packages/groundwork/benchmarks/suite/contenders")
OURS = "groundwork"  # name of the entry point: loaded first, so that a candidate can replace a fixture
NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere"}  # selects embedded PostgreSQL, as for the others
WARMING_UP = 3  # first tests, which include the start of the server and the schema


@dataclass(frozen=True)
class Run:
    file: str
    plugins: Sequence[str]
    environment: Mapping[str, str]
    arguments: Sequence[str] = ()

    def seconds(self, tests: int) -> float:
        return self._finish(tests, self.plugins, {})

    def milliseconds_a_test(self, tests: int, part: str = "whole", pause: float = 0) -> float:
        """Return the median time of a test after the warm-up. `pause` is in seconds, before each test."""
        with tempfile.TemporaryDirectory() as folder:
            times = Path(folder) / "times.json"
            clock = {"BENCHMARK_CLOCK": str(times), "BENCHMARK_PAUSE": str(pause)}
            self._finish(tests + WARMING_UP, [*self.plugins, _named("clock")], clock)
            measured: list[float] = json.loads(times.read_text("utf-8"))[part]
            return median(measured[WARMING_UP:])

    def _finish(self, tests: int, plugins: Sequence[str], more: Mapping[str, str]) -> float:
        unused = [] if _named("pytest_postgresql") in plugins else ["no:pytest_postgresql"]
        loaded = [part for plugin in [*unused, *plugins] for part in ("-p", plugin)]
        command = [sys.executable, "-m", "pytest", "-q", *loaded, *self.arguments, str(CONTENDERS / self.file)]
        environment = {**os.environ, **self.environment, **more, "BENCHMARK_TESTS": str(tests)}
        start = time.perf_counter()
        finished = subprocess.run(command, cwd=paths.ROOT, env=environment, capture_output=True, text=True, check=False)
        took = time.perf_counter() - start
        if finished.returncode:
            raise Failed(f"{' '.join(command)}\n{finished.stdout}{finished.stderr}")
        return took


def without_database(*modules: str, arguments: Sequence[str] = ()) -> Run:
    return Run("test_no_database.py", [OURS, *map(_named, modules)], NO_ENGINE, arguments)


def ours(*modules: str, arguments: Sequence[str] = ()) -> Run:
    return Run("test_database.py", [OURS, *map(_named, modules)], NO_ENGINE, arguments)


def theirs(module: str, server: Mapping[str, str], arguments: Sequence[str] = ()) -> Run:
    return Run("test_database.py", [f"no:{OURS}", _named(module)], server, arguments)


def _named(module: str) -> str:
    return f"packages.groundwork.benchmarks.suite.contenders.{module}"
