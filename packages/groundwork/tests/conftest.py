"""Fixtures for tests of the tasks.

- `checkout`: a folder with only the configuration, for functions that need no more.
- `clone`: all files of the project, for command lines; `enter` makes functions work in it too.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil
import pytest

from groundwork.configuration import loader
from groundwork.system import paths, ports
from groundwork.testing import requirements
from groundwork.testing.service import wait_until as wait_until  # the tests import it from here
from packages.groundwork.tests.cloud import registry
from packages.groundwork.tests.terraform import provider

os.environ["GIT_CONFIG_GLOBAL"] = str(Path(__file__).with_name("gitconfig"))
os.environ["GIT_CONFIG_NOSYSTEM"] = "1"
ROOT = paths.ROOT
SECONDS_FOR_A_TASK = 600  # prod.up builds an image


def pytest_configure(config: pytest.Config) -> None:
    registry_needs = "needs docker-registry, or Debian's apt-get to download it"
    requirements.register(config, "registry", registry_needs, registry.why_none)
    requirements.register(config, "terraform", "needs Terraform 1.11 and its AWS provider", provider.why_none)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkout with the real configuration files only, and make the tasks use it."""
    shutil.copytree(paths.CONFIG, tmp_path / "config")
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "CONFIG", tmp_path / "config")
    monkeypatch.setattr(paths, "LOCAL", tmp_path / ".local")
    return tmp_path


def production_secrets() -> dict[str, str]:
    """Return a value for each secret that config/production.json names."""
    names = json.loads((paths.CONFIG / "production.json").read_text("utf-8"))["secrets"]
    return {name: f"the value of {name}" for name in names}


def problems_with(checkout: Path, place: str, value: object) -> list[str]:
    """Set `place`, such as `containers/web/replicas`, in production.json and return the problems that are found."""
    path = checkout / "config" / "production.json"
    document = json.loads(path.read_text())
    *sections, name = place.split("/")
    section = document
    for each in sections:
        section = section[each]
    section[name] = value
    path.write_text(json.dumps(document))
    return [each.partition(": ")[2] for each in loader.find_problems()]


@dataclass(frozen=True)
class Clone:
    """Copy of the working tree in a separate folder, with its own ports and without a Docker Engine."""

    folder: Path
    environment: dict[str, str]

    @classmethod
    def in_folder(cls, folder: Path) -> "Clone":
        environment = {
            "PATH": os.environ["PATH"],
            "DOCKER_HOST": "unix:///nowhere",
            "POSTGRES_PORT": str(ports.any_free()),
            "FLASK_RUN_PORT": str(ports.any_free()),
        }
        return cls(folder, environment)

    def inv(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS_FOR_A_TASK,
        )

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "invoke", "--search-root", str(self.folder), *arguments]

    def processes(self) -> list[psutil.Process]:
        """Return the processes that run in the folder or use its data."""
        return [process for process in psutil.process_iter() if self._is_home_of(process)]

    def is_running(self, command: str) -> bool:
        for process in self.processes():
            with suppress(psutil.Error):
                if command in " ".join(process.cmdline()):
                    return True
        return False

    def enter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make the tasks' functions work here, in this process: a command line takes half a second to start.

        This affects only modules of the tools that are already imported: import them at the top of the test module.
        """
        for name, module in list(sys.modules.items()):
            for constant, value in vars(module).items() if name.startswith("groundwork.") else ():
                if isinstance(value, Path) and value.is_relative_to(ROOT):
                    monkeypatch.setattr(module, constant, self.folder / value.relative_to(ROOT))
        for name in os.environ:
            monkeypatch.delenv(name)
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)

    def _is_home_of(self, process: psutil.Process) -> bool:
        try:
            return str(self.folder) in " ".join([*process.cmdline(), process.cwd()])
        except psutil.Error:
            return False


def write_migration(clone: Clone, name: str, after: str) -> Path:
    """Write a migration that changes nothing."""
    path = clone.folder / "alembic" / "versions" / f"{name}.py"
    path.write_text(f'revision = "{name}"\ndown_revision = "{after}"\n\n\ndef upgrade() -> None: ...\n')
    return path


def on_small_disk(folder: Path, size: str) -> list[str]:
    """Return a command prefix that mounts a file system of this size on the folder. Skip if it cannot mount."""
    folder.mkdir(parents=True)
    requirements.require("mount")
    return [
        "unshare",
        "--mount",
        "sh",
        "-c",
        f'mount -t tmpfs -o size={size} none {shlex.quote(str(folder))} && exec "$@"',
        "sh",
    ]


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Clone]:
    clone = make_clone(tmp_path)
    yield clone
    end_what_runs(clone)


def end_what_runs(clone: Clone) -> None:
    """Kill processes that a test left running, and fail if there are any."""
    left = clone.processes()
    for process in left:
        process.kill()
    assert not left, "something was left running"


def make_clone(place: Path) -> Clone:
    folder = place / "shop"
    folder.mkdir(parents=True)
    subprocess.run(["tar", "-x", "--no-same-owner", "-f", "-"], cwd=folder, input=_working_tree(), check=True)
    return Clone.in_folder(folder)


@cache
def _working_tree() -> bytes:
    """Return an archive of the working tree. Unpacking takes a quarter of the time of copying."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.check_output(listing, cwd=ROOT, text=True).split("\0")
    names = "\0".join(name for name in listed if (ROOT / name).is_file())
    return subprocess.check_output(["tar", "-c", "--null", "-T", "-", "-f", "-"], cwd=ROOT, input=names.encode())
