"""Parity of the service's settings on all platforms, and detection of differences."""

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from invoke.context import Context

from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.parity import comparison, compose, definition, differences, flask
from groundwork.parity import settings as parity_settings
from groundwork.parity.differences import AllowedDifference as Allowed
from groundwork.parity.settings import Settings
from groundwork.production import stack
from groundwork.system import paths
from groundwork.system.errors import Exit
from groundwork.tasks.config import parity
from packages.groundwork.tests import path
from packages.groundwork.tests.conftest import Clone

ROOT = paths.ROOT
NO_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
DEFINITION = {
    "name": "web",
    "cpu": 512,
    "memory": 512,
    "stopTimeout": 15,
    "user": "10001:10001",
    "readonlyRootFilesystem": True,
    "environment": [{"name": "METRICS_PORT", "value": "9000"}],
    "secrets": [
        {
            "name": "SECRET_KEY",
            "valueFrom": "arn:aws:secretsmanager:eu-central-1:1:secret:shop/SECRET_KEY-aB3dEf",
        },
        {"name": "MASTER_USER", "valueFrom": "arn:aws:secretsmanager:eu-central-1:1:secret:rds!db-1-x:username::"},
    ],
    "healthCheck": {"command": ["CMD", "ask", "/alive"], "interval": 10, "timeout": 5, "retries": 2, "startPeriod": 60},
    "linuxParameters": {"capabilities": {"drop": ["ALL"]}, "initProcessEnabled": False},
    "mountPoints": [{"sourceVolume": "tmp", "containerPath": "/tmp", "readOnly": False}],  # noqa: S108  a container's own
}


@pytest.mark.compose
def test_flask_and_compose_make_the_same_of_the_configuration(settings: Configuration, of_flask: Settings) -> None:
    found = comparison.rows({"Flask": of_flask, "Compose": compose.read(settings)})

    assert list(comparison.problems(found, differences.allowed_differences(settings))) == []
    assert any(row.address == "web/environment/METRICS_PORT" and len(row.values) == 2 for row in found)


@pytest.mark.compose
def test_the_task_compares_what_can_be_asked_and_says_what_cannot(clone: Clone) -> None:
    """`inv config.check` must pass first, because an invalid configuration is not compared."""
    done = alone(clone).inv("config.check", "config.parity")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("Flask, Compose: ")
    assert "Terraform is not compared: " in done.stderr
    assert "ECS is not compared: no AWS credentials" in done.stderr


@pytest.mark.parametrize(
    ("programs", "reason"),
    [({}, "docker is not installed"), ({"docker": "exit 1"}, "docker has no Compose plugin")],
    ids=["no docker", "no Compose"],
)
@pytest.mark.usefixtures("quick_flask")
def test_offline_a_missing_compose_is_reported_in_a_line_and_no_other_place_is_asked(
    programs: dict[str, str],
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", path.make(tmp_path / "path", **programs))

    parity.parity(Context(), offline=True)

    said = capsys.readouterr()
    assert re.fullmatch(r"Flask: (\d+) of \1 values are equal, the others are allowed to differ\n", said.out)
    assert [line for line in said.err.splitlines() if "not compared" in line] == [f"Compose is not compared: {reason}"]


@pytest.mark.usefixtures("quick_flask")
def test_if_all_places_are_wanted_one_that_cannot_be_asked_fails_the_task(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in {**NO_ACCOUNT, "PATH": path.make(tmp_path / "path")}.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(Exit, match=r"^not available: Compose, Terraform, ECS$"):
        parity.parity(Context(), all_places=True)


@pytest.mark.compose
def test_a_setting_that_flask_does_not_read_any_more_is_told_of(settings: Configuration, checkout: Path) -> None:
    source = checkout / "app" / "config.py"
    text = source.read_text()
    loads = "config.load(CONFIGS, config_name, secret_files)"
    assert loads in text
    source.write_text(text.replace(loads, f"{{each: value for each, value in {loads} if each != 'TRUSTED_PROXIES'}}"))

    told = told_of(settings, {"Flask": flask.read(settings), "Compose": compose.read(settings)})

    assert 'web/environment/TRUSTED_PROXIES: is missing in Flask, "1" in Compose' in told


@pytest.mark.compose
def test_a_setting_that_compose_does_not_give_is_told_of(
    settings: Configuration, of_flask: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = stack.environments(settings)
    assert '"GUNICORN_THREADS": "4", ' in given
    monkeypatch.setattr(stack, "environments", lambda _: given.replace('"GUNICORN_THREADS": "4", ', ""))

    told = told_of(settings, {"Flask": of_flask, "Compose": compose.read(settings)})

    assert told == ['web/environment/GUNICORN_THREADS: "4" in Flask, is missing in Compose']


@pytest.mark.compose
def test_a_secret_that_compose_does_not_give_is_told_of(
    settings: Configuration, of_flask: Settings, checkout: Path
) -> None:
    path = checkout / "compose" / "production.yml"
    given = "      - {source: postgres_password, target: POSTGRES_PASSWORD}\n"
    assert given in path.read_text()
    path.write_text(path.read_text().replace(given, ""))

    told = told_of(settings, {"Flask": of_flask, "Compose": compose.read(settings)})

    assert told == ['web/secrets/POSTGRES_PASSWORD: "POSTGRES_PASSWORD" in Flask, is missing in Compose']


def test_what_flask_refuses_ends_the_task_with_its_own_words(settings: Configuration) -> None:
    refused = settings.with_values("a test", POSTGRES_POOL_SIZE=0)

    with pytest.raises(Exit, match=r"app\.config: POSTGRES_POOL_SIZE: should be greater than or equal to 1"):
        flask.read(refused)


def test_a_task_definition_says_the_same_in_its_own_words() -> None:
    found = definition.read({"web": DEFINITION})

    assert {name.removeprefix("web/"): value for name, value in found.items()} == {
        "environment/METRICS_PORT": "9000",
        "secrets/SECRET_KEY": "SECRET_KEY",
        "secrets/MASTER_USER": "arn:aws:secretsmanager:eu-central-1:1:secret:rds!db-1-x:username::",
        "health/command": '["ask"]',
        "health/path": "/alive",
        "health/interval_s": "10",
        "health/timeout_s": "5",
        "health/retries": "2",
        "health/start_period_s": "60",
        "cpus": "0.5",
        "memory_mb": "512",
        "stop_grace_s": "15",
        "user": "10001:10001",
        "read_only_root": "true",
        "capabilities_dropped": '["ALL"]',
        "init": "false",
        "command": "null",
        "writes_to": '["/tmp"]',
    }


@pytest.mark.parametrize(("written", "seconds"), [("15s", "15"), ("1m0s", "60"), ("1h0m5s", "3605"), ("500ms", "0.5")])
def test_a_duration_is_a_number_of_seconds(written: str, seconds: str) -> None:
    assert parity_settings.seconds(written) == seconds


@pytest.mark.parametrize(
    ("meant", "compose", "ecs", "told"),
    [
        ([], "1", "1", []),
        ([], "1", "2", ['web/cpus: "1" in Compose, "2" in ECS']),
        ([], "1", None, ['web/cpus: "1" in Compose, is missing in ECS']),
        ([Allowed("*/cpus", "a reason", must_differ=("ECS",))], "1", "2", []),
        (
            [Allowed("*/cpus", "a reason", must_differ=("ECS",))],
            "1",
            None,
            ['web/cpus: "1" in Compose, is missing in ECS'],
        ),
        ([Allowed("*/cpus", "a reason", may_lack=("ECS",))], "1", None, []),
        ([Allowed("*/cpus", "a reason", may_lack=("ECS",))], "1", "2", ['web/cpus: "1" in Compose, "2" in ECS']),
        (
            [Allowed("*/cpus", "a reason", may_lack=("ECS",))],
            "1",
            "1",
            ["groundwork.parity.differences: */cpus: no longer differs: remove the entry"],
        ),
        ([Allowed("*/cpus", "a reason", must_differ=("ECS",), required=False)], "1", "1", []),
    ],
)
def test_only_what_is_meant_may_differ(meant: list[Allowed], compose: str, ecs: str | None, told: list[str]) -> None:
    found = comparison.rows({"Compose": {"web/cpus": compose}, "ECS": {"web/cpus": ecs} if ecs else {}})

    assert list(comparison.problems(found, meant)) == told


def test_a_difference_is_not_missed_where_its_place_cannot_be_asked() -> None:
    found = comparison.rows({"Compose": {"web/cpus": "1"}})

    assert list(comparison.problems(found, [Allowed("*/cpus", "a reason", must_differ=("ECS",))])) == []


def alone(clone: Clone) -> Clone:
    """Return the clone without AWS credentials and without a Terraform provider, which would be downloaded."""
    return replace(clone, environment={**clone.environment, **NO_ACCOUNT, "TF_CLI_ARGS_init": "-plugin-dir=nowhere"})


@pytest.fixture(scope="module")
def of_flask() -> Settings:
    """Return the settings of Flask, once per module, because reading them takes a second."""
    return flask.read(loader.load("production", environ={}, missing_secrets="show"))


@pytest.fixture
def quick_flask(of_flask: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(parity.SOURCES, "Flask", lambda _: of_flask)


def told_of(settings: Configuration, places: dict[str, Settings]) -> list[str]:
    return list(comparison.problems(comparison.rows(places), differences.allowed_differences(settings)))


@pytest.fixture
def settings(checkout: Path) -> Configuration:
    """Return the settings of a checkout whose files a test may change."""
    for name in ("app", "compose"):
        shutil.copytree(ROOT / name, checkout / name)
    return loader.load("production", environ={}, missing_secrets="show")
