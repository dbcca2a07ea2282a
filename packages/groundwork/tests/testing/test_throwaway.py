"""Servers of test runs: retries, and ownership of leftovers."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from groundwork.configuration.loader import Configuration
from groundwork.production import cleanup
from groundwork.system import docker, paths, ports, process_owner, shell
from groundwork.testing import container, database_pool, embedded, server_lifecycle, template
from groundwork.testing.template import Started

KINDS = ("container", "network", "volume")


def test_a_port_that_somebody_else_took_first_is_another_try(
    monkeypatch: pytest.MonkeyPatch, bound: int, kind: embedded.Embedded
) -> None:
    free = ports.any_free()
    offered = iter([bound, free])
    monkeypatch.setattr(ports, "any_free", lambda: next(offered))

    started = kind.start(process_owner.identity())

    try:
        assert started.environment["POSTGRES_PORT"] == str(free)
        assert _names_the_template(started)
    finally:
        started.stop()


@pytest.mark.engine
def test_a_container_has_the_template_and_is_gone_when_it_is_stopped() -> None:
    kind = container.Container(server_lifecycle.settings())
    server_lifecycle.make(kind)

    started = kind.start("a test of containers")

    assert _names_the_template(started)
    started.stop()
    assert _containers("a test of containers") == ""


@pytest.mark.engine
def test_a_container_whose_process_was_killed_is_removed() -> None:
    claim = _signature_of_one_that_has_ended()
    kind = container.Container(server_lifecycle.settings())
    server_lifecycle.make(kind)
    kind.start(claim)
    assert _containers(claim) != ""

    container.discard_all()

    assert _containers(claim) == ""


@pytest.mark.engine
def test_a_stack_whose_process_was_killed_is_removed_with_all_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = _signature_of_one_that_has_ended()
    of_one_that_lives = _stack(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(process_owner, "identity", lambda: ended)
        abandoned = _stack(tmp_path)

    try:
        cleanup.discard_abandoned()

        assert {kind: _owned(kind, abandoned) for kind in KINDS} == dict.fromkeys(KINDS, 0)
        assert {kind: _owned(kind, of_one_that_lives) for kind in KINDS} == dict.fromkeys(KINDS, 1)
    finally:
        shell.read(["docker", "compose", "--project-name", of_one_that_lives, "down", "--volumes"])


def test_an_image_that_cannot_be_had_is_a_reason_for_the_embedded_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot(image: str) -> str:
        raise docker.NoEngine(f"the Docker Engine cannot pull the image {image}")

    monkeypatch.setattr(docker, "require", cannot)

    kind = server_lifecycle._best()

    assert isinstance(kind, embedded.Embedded)


def test_a_number_that_was_given_again_is_another_process() -> None:
    pid, moment = process_owner.identity().split("-")

    assert process_owner.is_running(f"{pid}-{moment}")
    assert not process_owner.is_running(f"{pid}-{float(moment) - 1:.2f}")
    assert not process_owner.is_abandoned("nobody")


def test_a_pool_whose_server_has_gone_says_so_to_everyone_who_asks(settings: Configuration) -> None:
    gone = settings.with_values("test", POSTGRES_PORT=ports.any_free())
    pool = database_pool.Pool(gone.environment, template.NAME)

    for _ in range(database_pool.AHEAD + 2):
        with pytest.raises(psycopg.OperationalError):
            pool.take()

    pool.give_back("nothing")
    pool.close()


def test_other_migrations_are_another_server(monkeypatch: pytest.MonkeyPatch, settings: Configuration) -> None:
    before = template.fingerprint(settings, "a program")

    assert template.fingerprint(settings, "a program") == before
    assert template.fingerprint(settings, "its next version") != before
    assert template.fingerprint(settings.with_values("test", POSTGRES_PASSWORD="another"), "a program") != before


def _names_the_template(started: Started) -> bool:
    with database_pool.connect(started.environment) as connection:
        return connection.execute("SELECT FROM pg_database WHERE datname = 'template'").fetchone() is not None


def _signature_of_one_that_has_ended() -> str:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        signature = process_owner.identity(process.pid)
        process.communicate(b"\n")
    return signature


def _stack(place: Path) -> str:
    """Start a stack with one resource of each of KINDS; its container has exited. Return its name."""
    name = f"{paths.NAME}-{os.urandom(4).hex()}"
    image = server_lifecycle.settings().images.postgres
    services = {"it": {"image": image, "command": ["true"], "volumes": ["kept:/kept"]}}
    file = place / cleanup.claimed_folder() / "shop" / "compose.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"services": services, "volumes": {"kept": {}}}))
    shell.read(["docker", "compose", "--project-name", name, "--file", str(file), "up", "--detach"])
    return name


def _owned(kind: str, name: str) -> int:
    """Return the number of resources of a kind in the stack."""
    every = ["--all"] if kind == "container" else []
    listing = ["docker", kind, "ls", *every, "--quiet", "--filter", f"label={cleanup.PROJECT}={name}"]
    return len(shell.read(listing).split())


def _containers(claim: str) -> str:
    listing = ["docker", "ps", "--all", "--quiet", "--filter", f"label={container.LABEL}={claim}"]
    return subprocess.run(listing, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def settings() -> Configuration:
    return server_lifecycle.settings()


@pytest.fixture
def kind(settings: Configuration) -> embedded.Embedded:
    kind = embedded.Embedded(settings, "this test wants it")
    server_lifecycle.make(kind)
    return kind


@pytest.fixture
def bound() -> Iterator[int]:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_process_is_the_same_one_after_a_step_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    before, boot = process_owner.identity(), psutil.boot_time()

    monkeypatch.setattr("psutil._psplatform.boot_time", lambda: boot + 1)

    assert psutil.boot_time() == boot + 1
    assert process_owner.identity() == before
