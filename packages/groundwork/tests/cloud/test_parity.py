"""`inv config.parity` for ECS; packages/groundwork/tests/parity/test_parity.py covers the comparison itself."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.parity import comparison, compose, definition, differences, ecs, flask, terraform
from groundwork.parity.settings import TASKS, Settings, Unavailable
from groundwork.system import paths
from packages.groundwork.tests.aws import REGION
from packages.groundwork.tests.cloud.conftest import Aws
from packages.groundwork.tests.terraform import provider

VARIABLES = {"METRICS_PORT": "9000", "LOG_LEVEL": "INFO"}
SECRET = f"arn:aws:secretsmanager:{REGION}:1:secret:shop/SECRET_KEY-aB3dEf"


@pytest.mark.compose
@pytest.mark.terraform
def test_all_four_make_the_same_of_the_configuration(aws: Aws, plans: Path) -> None:
    settings = loader.load("production", environ={}, missing_secrets="show")
    planned = terraform.planned_containers(settings)
    serve(aws, settings.cloud.name, planned)

    places = {
        "Flask": flask.read(settings),
        "Compose": compose.read(settings),
        "Terraform": definition.read(planned),
        "ECS": ecs.read(settings),
    }

    assert list(comparison.problems(comparison.rows(places), differences.allowed_differences(settings))) == []


@pytest.mark.compose
@pytest.mark.terraform
def test_a_limit_of_nginx_that_terraform_does_not_give_is_reported(plans: Path) -> None:
    settings = loader.load("production", environ={}, missing_secrets="show")
    path = plans / "tasks.tf"
    given = 'if name != "tls_port"'
    assert given in path.read_text()
    path.write_text(path.read_text().replace(given, f'{given} && name != "passwords_burst"'))

    told = comparison.problems(
        comparison.rows({"Compose": compose.read(settings), "Terraform": terraform.read(settings)}),
        differences.allowed_differences(settings),
    )

    assert list(told) == ['proxy/environment/PROXY_PASSWORDS_BURST: "20" in Compose, is missing in Terraform']


@pytest.mark.compose
@pytest.mark.terraform
def test_a_setting_and_a_secret_that_terraform_does_not_give_are_told_of(plans: Path) -> None:
    settings = loader.load("production", environ={}, missing_secrets="show")
    path = plans / "tasks.tf"
    for given, left_out in (("local.environment", "METRICS_PORT"), ("local.secrets", "SECRET_KEY")):
        every = rf"(\[for name, \w+ in {given} : .*?\}})\]"
        text, found = re.subn(every, rf'\1 if name != "{left_out}"]', path.read_text())
        assert found == 1
        path.write_text(text)

    told = comparison.problems(
        comparison.rows({"Compose": compose.read(settings), "Terraform": terraform.read(settings)}),
        differences.allowed_differences(settings),
    )

    assert list(told) == [
        'web/environment/METRICS_PORT: "9000" in Compose, is missing in Terraform',
        'web/secrets/SECRET_KEY: "SECRET_KEY" in Compose, is missing in Terraform',
    ]


def test_what_the_service_runs_is_told(aws: Aws, settings: Configuration) -> None:
    register(aws, VARIABLES)
    register(aws, {**VARIABLES, "LOG_LEVEL": "DEBUG"}, serves=False)

    found = ecs.read(settings)

    assert {name: value for name, value in found.items() if name.startswith("web/environment/")} == {
        "web/environment/METRICS_PORT": "9000",
        "web/environment/LOG_LEVEL": "INFO",
    }
    assert found["migrate/environment/METRICS_PORT"] == "9000"
    assert (found["web/cpus"], found["web/memory_mb"], found["web/stop_grace_s"]) == ("1", "512", "15")
    assert found["web/secrets/SECRET_KEY"] == "SECRET_KEY"


def test_a_variable_that_was_taken_from_it_is_told_of(aws: Aws, settings: Configuration) -> None:
    register(aws, VARIABLES)
    planned = ecs.read(settings)
    register(aws, {"LOG_LEVEL": "INFO"})

    told = told_of(planned, ecs.read(settings))

    assert told == ['web/environment/METRICS_PORT: "9000" in Terraform, is missing in ECS']


def test_before_there_is_a_service_it_says_so(aws: Aws, settings: Configuration) -> None:
    aws.client("ecs").create_cluster(clusterName="shop")

    with pytest.raises(Unavailable, match="there is no service shop-web yet"):
        ecs.read(settings)


def test_who_is_not_signed_in_is_told_how(aws: Aws, settings: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(Unavailable, match=r"no AWS credentials .*: sign in"):
        ecs.read(settings)


def told_of(planned: Settings, registered: Settings) -> list[str]:
    return list(comparison.problems(comparison.rows({"Terraform": planned, "ECS": registered}), []))


def register(aws: Aws, variables: dict[str, str], *, serves: bool = True) -> None:
    """Register new revisions of both. If `serves`, the service uses the one of web; the migration keeps its own."""
    serve(aws, "shop", {"migrate": container("migrate", VARIABLES), "web": container("web", variables)}, serves=serves)


def serve(aws: Aws, name: str, containers: dict[str, dict[str, Any]], *, serves: bool = True) -> None:
    client = aws.client("ecs")
    for use, names in TASKS.items():
        definitions = [containers[each] for each in names if each in containers]
        client.register_task_definition(family=f"{name}-{use}", containerDefinitions=definitions)
    if not serves:
        return
    newest = client.describe_task_definition(taskDefinition=f"{name}-web")["taskDefinition"]["taskDefinitionArn"]
    named = {"cluster": name, "taskDefinition": newest}
    if client.list_clusters()["clusterArns"]:
        client.update_service(service=f"{name}-web", **named)
    else:
        client.create_cluster(clusterName=name)
        client.create_service(serviceName=f"{name}-web", desiredCount=3, **named)


def container(name: str, variables: dict[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "image": "shop:v1",
        "cpu": 1024,
        "memory": 512,
        "stopTimeout": 15,
        "environment": [{"name": name, "value": value} for name, value in variables.items()],
        "secrets": [{"name": "SECRET_KEY", "valueFrom": SECRET}],
    }


@pytest.fixture
def settings() -> Configuration:
    found = loader.load("production", environ={}, missing_secrets="show")
    return replace(
        found, document={**found.document, "cloud": {**found.document["cloud"], "name": "shop", "region": REGION}}
    )


@pytest.fixture
def plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return terraform/ of a checkout whose files a test may change."""
    for name in ("app", "compose", "config", "terraform"):
        shutil.copytree(paths.ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns(".terraform"))
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "CONFIG", tmp_path / "config")
    monkeypatch.setattr(paths, "LOCAL", tmp_path / ".local")
    monkeypatch.setenv("TF_CLI_ARGS_init", f"-plugin-dir={provider.mirror()}")
    return tmp_path / "terraform"
