"""Plugin that writes test times in ms, whole tests and setup alone, as JSON to the file BENCHMARK_CLOCK.

BENCHMARK_PAUSE is a pause in seconds before each test, which simulates other tests in between.
"""

import json
import os
import time
from collections.abc import Generator
from pathlib import Path

import pytest

times: dict[str, list[float]] = {"whole": [], "setup": []}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    time.sleep(float(os.environ.get("BENCHMARK_PAUSE", "0")))
    return (yield from _timed("whole"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup() -> Generator[None, object, object]:
    return (yield from _timed("setup"))


def pytest_sessionfinish() -> None:
    Path(os.environ["BENCHMARK_CLOCK"]).write_text(json.dumps(times), "utf-8")


def _timed(part: str) -> Generator[None, object, object]:
    start = time.perf_counter()
    try:
        return (yield)
    finally:
        times[part].append((time.perf_counter() - start) * 1000)
