"""What is registered with ECS, as `inv config.parity` compares it; how it does is tried in tests/ops/test_parity.py."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops import configuration, project
from ops.configuration import Configuration
from ops.parity import comparison, compose, definition, differences, ecs, flask, terraform
from ops.parity.facts import Facts, NotToBeHad
from tests.aws import REGION
from tests.ops.cloud.conftest import Aws
from tests.terraform import provider

VARIABLES = {"METRICS_PORT": "9000", "LOG_LEVEL": "INFO"}
SECRET = f"arn:aws:secretsmanager:{REGION}:1:secret:shop/SECRET_KEY-aB3dEf"


@pytest.mark.compose
@pytest.mark.terraform
def test_all_four_make_the_same_of_the_configuration(aws: Aws, plans: Path) -> None:
    settings = configuration.load("production", environ={}, missing_secrets="show")
    planned = terraform.planned(settings)
    serve(aws, settings.document["cloud"]["name"], planned)

    places = {
        "Flask": flask.facts(settings),
        "Compose": compose.facts(settings),
        "Terraform": definition.facts(planned),
        "ECS": ecs.facts(settings),
    }

    assert list(comparison.problems(comparison.rows(places), differences.meant(settings))) == []


@pytest.mark.compose
@pytest.mark.terraform
def test_a_setting_and_a_secret_that_terraform_does_not_give_are_told_of(plans: Path) -> None:
    settings = configuration.load("production", environ={}, missing_secrets="show")
    path = plans / "tasks.tf"
    for given, left_out in (("local.environment", "METRICS_PORT"), ("local.secrets", "SECRET_KEY")):
        every = rf"(\[for name, \w+ in {given} : .*?\}})\]"
        text, found = re.subn(every, rf'\1 if name != "{left_out}"]', path.read_text())
        assert found == 1
        path.write_text(text)

    told = comparison.problems(
        comparison.rows({"Compose": compose.facts(settings), "Terraform": terraform.facts(settings)}),
        differences.meant(settings),
    )

    assert list(told) == [
        'web/environment/METRICS_PORT: "9000" in Compose, is missing in Terraform',
        'web/secrets/SECRET_KEY: "SECRET_KEY" in Compose, is missing in Terraform',
    ]


def test_what_the_service_runs_is_told(aws: Aws, settings: Configuration) -> None:
    register(aws, VARIABLES)
    register(aws, {**VARIABLES, "LOG_LEVEL": "DEBUG"}, serves=False)

    found = ecs.facts(settings)

    assert {name: value for name, value in found.items() if name.startswith("web/environment/")} == {
        "web/environment/METRICS_PORT": "9000",
        "web/environment/LOG_LEVEL": "INFO",
    }
    assert found["migrate/environment/METRICS_PORT"] == "9000"
    assert (found["web/cpus"], found["web/memory_mb"], found["web/stop_grace_s"]) == ("1", "512", "15")
    assert found["web/secrets/SECRET_KEY"] == "SECRET_KEY"


def test_a_variable_that_was_taken_from_it_is_told_of(aws: Aws, settings: Configuration) -> None:
    register(aws, VARIABLES)
    planned = ecs.facts(settings)
    register(aws, {"LOG_LEVEL": "INFO"})

    told = told_of(planned, ecs.facts(settings))

    assert told == ['web/environment/METRICS_PORT: "9000" in Terraform, is missing in ECS']


def test_before_there_is_a_service_it_says_so(aws: Aws, settings: Configuration) -> None:
    aws.client("ecs").create_cluster(clusterName="shop")

    with pytest.raises(NotToBeHad, match="there is no service shop-web yet"):
        ecs.facts(settings)


def test_who_is_not_signed_in_is_told_how(aws: Aws, settings: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(NotToBeHad, match=r"no AWS credentials .*: sign in"):
        ecs.facts(settings)


def told_of(planned: Facts, registered: Facts) -> list[str]:
    return list(comparison.problems(comparison.rows({"Terraform": planned, "ECS": registered}), []))


def register(aws: Aws, variables: dict[str, str], *, serves: bool = True) -> None:
    """Another revision of both; of web the service gets it. The migration keeps its own."""
    serve(aws, "shop", {"migrate": container("migrate", VARIABLES), "web": container("web", variables)}, serves=serves)


def serve(aws: Aws, name: str, containers: dict[str, dict[str, Any]], *, serves: bool = True) -> None:
    client = aws.client("ecs")
    for use, each in containers.items():
        client.register_task_definition(family=f"{name}-{use}", containerDefinitions=[each])
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
    found = configuration.load("production", environ={}, missing_secrets="show")
    return replace(found, document={**found.document, "cloud": {"name": "shop", "region": REGION}})


@pytest.fixture
def plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """terraform/ of a checkout whose files may be changed."""
    for name in ("app", "compose", "config", "terraform"):
        shutil.copytree(project.ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns(".terraform"))
    monkeypatch.setattr(project, "ROOT", tmp_path)
    monkeypatch.setattr(project, "CONFIG", tmp_path / "config")
    monkeypatch.setattr(project, "LOCAL", tmp_path / ".local")
    monkeypatch.setenv("TF_CLI_ARGS_init", f"-plugin-dir={provider.mirror()}")
    return tmp_path / "terraform"
