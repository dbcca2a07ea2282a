"""Requirements of tests on the machine: a marker for each, and a function that returns why it is missing."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache

import pytest

from groundwork.system import browser

WHY_MISSING: dict[str, Callable[[], str | None]] = {}
"""For each marker, a function that returns why the machine lacks the requirement, or None."""


def pytest_configure(config: pytest.Config) -> None:
    for program in ("bash", "jq", "setpriv"):
        register(config, program, f"needs {program}", _why_no_program(program))
    register(config, "browser", "needs a Chromium", _why_no_browser)
    register(config, "compose", "needs docker with the Compose plugin; no engine", _why_no_compose)
    register(config, "engine", "needs a Docker Engine", _why_no_engine)
    register(config, "mount", "needs root, and the right to mount file systems and make user namespaces", _why_no_mount)
    register(config, "root", "needs to run as root", _why_not_root)


def register(config: pytest.Config, marker: str, description: str, why_missing: Callable[[], str | None]) -> None:
    """Add a marker. Its tests are skipped if the function returns a reason."""
    WHY_MISSING[marker] = why_missing
    config.addinivalue_line("markers", f"{marker}: {description}")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in WHY_MISSING:
        if item.get_closest_marker(marker):
            require(marker)


def require(marker: str) -> None:
    """Skip the current test if the machine lacks the requirement of this marker."""
    if reason := WHY_MISSING[marker]():
        pytest.skip(f"needs {marker}: {reason}")


@cache
def _why_no_engine() -> str | None:
    from groundwork.configuration import loader
    from groundwork.system import docker

    image = loader.load("testing", environ={}, missing_secrets="show").images.postgres
    return _complaint(lambda: docker.require(image))


@cache
def _why_no_compose() -> str | None:
    from groundwork.system import docker

    return _complaint(docker.require_compose)


def _complaint(require: Callable[[], None]) -> str | None:
    from groundwork.system import docker

    try:
        require()
    except docker.NoEngine as reason:
        return str(reason)
    return None


def _why_no_browser() -> str | None:
    return browser.REMEDY if browser.find() is None else None


def _why_not_root() -> str | None:
    return None if hasattr(os, "geteuid") and os.geteuid() == 0 else "the tests do not run as root"


@cache
def _why_no_mount() -> str | None:
    if reason := _why_not_root():
        return reason
    mount = f"mount -t tmpfs none {tempfile.gettempdir()} && unshare --user --map-user=1000 true"
    tried = subprocess.run(["unshare", "--mount", "sh", "-c", mount], capture_output=True, text=True, check=False)
    return tried.stderr.strip() or None


def _why_no_program(name: str) -> Callable[[], str | None]:
    return lambda: None if shutil.which(name) else f"there is no {name} on PATH"
