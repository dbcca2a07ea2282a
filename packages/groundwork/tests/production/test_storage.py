"""Data volume of the stack: moved checkouts, lost secrets, missing volumes, and PostgreSQL upgrades."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from groundwork.system.paths import NAME
from packages.groundwork.tests.production.docker_cli import docker
from packages.groundwork.tests.production.running_stack import PASSWORD, Stack


@pytest.mark.engine
def test_the_data_stays_when_the_checkout_moves_and_when_the_secrets_are_lost(new_stack: Stack) -> None:
    new_stack.ok("prod.up", "--web", "1")
    new_stack.ask("POST", "/api/users", {"email": "kept@example.com", "name": "Kept", "password": PASSWORD})
    before, folder = new_stack.containers("db")[0]["Id"], new_stack.clone.folder

    with moved(new_stack, folder.with_name("moved and renamed")) as stack:
        stack.ok("prod.up", "--web", "1")
        running = [each for each in stack.containers() if each["State"]["Running"]]
        mounted = {mount["Source"] for each in running for mount in each["Mounts"] if mount["Type"] == "bind"}
        assert {Path(place).is_relative_to(stack.clone.folder) for place in mounted} == {True}
        assert stack.containers("db")[0]["Id"] == before
        assert len(stack.containers("web")) == 1
        assert stack.sql("app", "SELECT name FROM users").stdout == "Kept\n"
        assert stack.ask("GET", "/api/products").status == 200
    new_stack.ok("prod.down")
    assert new_stack.containers() == []
    assert list(new_stack.copies.iterdir()) == []
    for path in new_stack.secrets.iterdir():
        path.unlink()
    new_stack.ok("prod.up", "--web", "1")

    assert new_stack.sql("app", "SELECT name FROM users").stdout == "Kept\n"


@contextmanager
def moved(stack: Stack, folder: Path) -> Iterator[Stack]:
    """Move the checkout to the folder during the block, and back afterwards."""
    home = stack.clone.folder
    home.rename(folder)
    try:
        yield replace(stack, clone=replace(stack.clone, folder=folder))
    finally:
        folder.rename(home)


@pytest.mark.engine
def test_data_that_is_missing_is_asked_for_before_an_empty_database_takes_its_place(new_stack: Stack) -> None:
    missing = f"{new_stack.project}_pgdata"
    (new_stack.clone.folder / ".local").mkdir(exist_ok=True)
    (new_stack.clone.folder / ".local" / "production.volume").write_text(missing)

    refused = new_stack.inv("prod.up")

    assert refused.returncode == 1
    assert refused.stderr == (
        f"the data of this stack is missing: this engine has no volume {missing}; use the engine that has it "
        f"(DOCKER_HOST, docker context), or start with an empty database: inv prod.up --yes-i-mean {NAME}\n"
    )
    assert new_stack.containers() == []
    new_stack.ok("prod.up", "--web", "1", "--yes-i-mean", NAME)
    assert new_stack.sql("app", "SELECT count(*) FROM users").stdout == "0\n"


@pytest.mark.engine
def test_the_data_moves_to_another_major_version_of_postgresql_or_stays_where_it_was(new_stack: Stack) -> None:
    new_stack.ok("prod.up", "--web", "1")
    new_stack.ask("POST", "/api/users", {"email": "kept@example.com", "name": "Kept", "password": PASSWORD})
    serving = {each["Id"] for each in new_stack.containers()}
    broken = "RUN printf 'echo broken on purpose >&2; exit 1' > /usr/local/bin/docker-entrypoint.sh"

    with simulated_major(new_stack, 20, broken):
        refused, failed = new_stack.inv("prod.up", "--web", "1"), new_stack.inv("prod.upgrade-postgres")
    with simulated_major(new_stack, 19):
        assert {each["Id"] for each in new_stack.containers()} == serving
        assert new_stack.ask("GET", "/readyz").status == 200
        upgraded = new_stack.ok("prod.upgrade-postgres")
        data = docker("exec", new_stack.containers("db")[0]["Id"], "ls", "/var/lib/postgresql").split()
        registered = new_stack.ask("POST", "/api/users", {"email": "n@example.com", "name": "N", "password": PASSWORD})
        new_stack.ok("prod.up", "--web", "1")
    back = new_stack.inv("prod.up", "--web", "1")

    assert (refused.returncode, failed.returncode, back.returncode) == (1, 1, 1)
    assert "images/postgres: should be PostgreSQL 18, as the data in the volume " in refused.stderr
    assert "inv prod.upgrade-postgres" in refused.stderr
    assert "broken on purpose" in failed.stderr
    assert data == ["19", "before-19"]
    assert "the old data is kept in /var/lib/postgresql/before-19" in upgraded
    assert registered.status == 201
    assert new_stack.sql("app", "SELECT name FROM users ORDER BY id").stdout == "Kept\nN\n"
    assert "images/postgres: should be PostgreSQL 19" in back.stderr


@contextmanager
def simulated_major(stack: Stack, major: int, *further: str) -> Iterator[None]:
    """Configure an image whose data directory is that of the given major version."""
    path = stack.clone.folder / "config" / "production.json"
    configured = path.read_text()
    image = json.loads(configured)["images"]["postgres"]
    simulated = f"{stack.project}-postgres:{major}"
    lines = [f"FROM {image}", f"ENV PGDATA=/var/lib/postgresql/{major}/docker", *further]
    build = ["docker", "build", "--quiet", "--tag", simulated, "-"]
    subprocess.run(build, input="\n".join(lines), text=True, check=True, stdout=subprocess.DEVNULL)
    path.write_text(configured.replace(f'"{image}"', f'"{simulated}"'))
    try:
        yield
    finally:
        path.write_text(configured)
