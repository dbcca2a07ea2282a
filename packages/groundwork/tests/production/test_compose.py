"""Calls of `docker compose`."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from invoke.context import Context

from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.postgresql import compose, database, servers
from groundwork.system import docker, paths, ports, shell
from groundwork.tasks import dev
from groundwork.tasks.config import files
from packages.groundwork.tests import path
from packages.groundwork.tests.conftest import ROOT

POSTGRES_18_HOME = "/var/lib/postgresql"


def test_a_command_names_the_checkouts_own_project() -> None:
    assert compose.command("up", "web") == [
        *("docker", "compose", "--project-name", paths.compose_project()),
        *("--file", "compose/development.yml", "--file", "-", "up", "web"),
    ]


def test_web_finds_every_setting_and_the_server_inside_its_network(settings: Configuration) -> None:
    given = json.loads(compose.web_override(settings))["services"]["web"]["environment"]

    assert given == {**settings.environment, "POSTGRES_HOST": "db", "POSTGRES_PORT": "5432"}


def test_a_dollar_in_a_secret_is_no_variable(monkeypatch: pytest.MonkeyPatch, checkout: Path) -> None:
    monkeypatch.setenv("SECRET_KEY", "a$b${c}")

    given = json.loads(compose.web_override(loader.load("development")))

    assert given["services"]["web"]["environment"]["SECRET_KEY"] == "a$$b$${c}"


def test_the_image_of_the_development_server_can_trace_where_it_shall(settings: Configuration) -> None:
    traced = settings.with_values("test", OTEL_EXPORTER_OTLP_ENDPOINT="http://collector:4318")

    assert [compose.variables(each)["TRACING"] for each in (settings, traced)] == ["", "yes"]


def test_the_welcome_names_the_ports_that_were_found_and_shows_no_password(settings: Configuration) -> None:
    moved = settings.with_values("test", POSTGRES_PORT=6001, FLASK_RUN_PORT=6002)

    told = dev.welcome(moved)

    assert "http://localhost:6002" in told
    assert f"psql --host localhost --port 6001 --username postgres {paths.NAME}" in told
    assert moved["POSTGRES_PASSWORD"] not in told


def test_config_show_tells_sources_and_hides_secrets(
    settings: Configuration, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POSTGRES_PORT", "6000")

    files.show(Context())

    rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert rows["POSTGRES_PORT"].split() == ["6000", "environment"]
    assert rows["POSTGRES_HOST"].split() == ["localhost", "config/development.json"]
    assert rows["LOG_LEVEL"].split() == ["INFO", "default"]
    assert rows["SECRET_KEY"].startswith("***")
    assert rows["SECRET_KEY"].endswith("secret file .local/secrets/development/SECRET_KEY")


@pytest.mark.parametrize(
    ("programs", "host", "reason"),
    [
        ({}, "", "docker is not installed"),
        ({"docker": "exit 1"}, "unix:///nowhere", "no Docker Engine answers"),
        ({"docker": '[ "$1" != compose ]'}, "", "docker has no Compose plugin"),
    ],
    ids=["no docker", "no engine", "no Compose"],
)
def test_the_embedded_server_is_chosen_with_the_reason_why_containers_cannot_be_used(
    programs: dict[str, str],
    host: str,
    reason: str,
    settings: Configuration,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("PATH", path.make(tmp_path / "path", **programs))
    monkeypatch.setenv("DOCKER_HOST", host)

    server, why = servers.choose(settings)

    assert isinstance(server, servers.EmbeddedServer)
    assert reason in why


@pytest.mark.engine
def test_an_image_that_cannot_be_had_is_a_reason_for_the_embedded_server(settings: Configuration) -> None:
    with pytest.raises(docker.NoEngine, match="cannot pull the image localhost:9/none:18"):
        docker.require("localhost:9/none:18")


@pytest.mark.compose
@pytest.mark.engine
def test_the_stack_is_whole(settings: Configuration) -> None:
    command = compose.command("config", "--format", "json")
    stack = json.loads(shell.read(command, compose.variables(settings), stdin=compose.web_override(settings)))

    db, web = stack["services"]["db"], stack["services"]["web"]
    assert [(volume["source"], volume["target"]) for volume in db["volumes"]] == [("pgdata", POSTGRES_18_HOME)]
    assert {port["host_ip"] for service in (db, web) for port in service["ports"]} == {"127.0.0.1"}
    assert web["user"] == docker.user()
    assert web["environment"]["SECRET_KEY"] == settings["SECRET_KEY"]
    assert web["build"]["args"] == {"TRACING": ""}


@pytest.mark.compose
def test_what_compose_is_told_of_another_project_does_not_reach_the_stack(
    settings: Configuration, monkeypatch: pytest.MonkeyPatch, checkout: Path
) -> None:
    (checkout / "compose").unlink()
    shutil.copytree(ROOT / "compose", checkout / "compose")
    (checkout / "compose" / ".env").write_text("what another program reads\n")
    elsewhere = {"COMPOSE_ENV_FILES": "/nowhere", "COMPOSE_FILE": "/nowhere.yml", "COMPOSE_PROFILES": "elsewhere"}
    for name, value in elsewhere.items():
        monkeypatch.setenv(name, value)

    command = compose.command("config", "--services")
    listed = shell.read(command, compose.variables(settings), stdin=compose.web_override(settings))

    assert set(listed.split()) == {"db", "web"}


@pytest.mark.compose
@pytest.mark.engine
def test_a_container_keeps_its_data_and_takes_a_new_password_when_the_secrets_were_deleted(
    settings: Configuration, stack: None
) -> None:
    settings = settings.with_values("test", POSTGRES_PORT=ports.any_free())
    server = servers.ContainerServer()
    server.start(settings)
    database.create(settings)
    assert server.running_port(settings) == int(settings["POSTGRES_PORT"])
    server.stop(settings)
    assert server.running_port(settings) is None

    other = settings.with_values("test", POSTGRES_PASSWORD="another one, with 'quotes' and $")
    server.start(other)

    psql, password = database.psql_command(other)
    assert shell.read([*psql, "--command", "SELECT 'kept'"], password).split()[2] == "kept"


@pytest.fixture
def settings(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Configuration:
    for name in ("APPLICATION_CONFIG", "POSTGRES_PORT", "FLASK_RUN_PORT"):
        monkeypatch.delenv(name, raising=False)
    (checkout / "compose").symlink_to(ROOT / "compose")
    return loader.load("development")


@pytest.fixture
def stack(settings: Configuration) -> Iterator[None]:
    """Remove the stack of the test's checkout afterwards, and check that no container is left."""
    yield
    compose.run(settings, "down", "--volumes")
    of_this_project = f"label=com.docker.compose.project={paths.compose_project()}"
    assert shell.read(["docker", "ps", "--all", "--quiet", "--filter", of_this_project]) == ""
