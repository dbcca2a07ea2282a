"""What is registered with ECS, as `inv config.parity` compares it; how it does is tried in tests/ops/test_parity.py."""

from dataclasses import replace
from typing import Any

import pytest

from ops import configuration
from ops.configuration import Configuration
from ops.parity import comparison, ecs
from ops.parity.facts import Facts, NotToBeHad
from tests.ops.cloud.conftest import REGION, Aws

VARIABLES = {"METRICS_PORT": "9000", "LOG_LEVEL": "INFO"}
SECRET = f"arn:aws:secretsmanager:{REGION}:1:secret:shop/SECRET_KEY-aB3dEf"


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
    client = aws.client("ecs")
    client.register_task_definition(family="shop-migrate", containerDefinitions=[container("migrate", VARIABLES)])
    definition = client.register_task_definition(family="shop-web", containerDefinitions=[container("web", variables)])[
        "taskDefinition"
    ]["taskDefinitionArn"]
    if not serves:
        return
    named = {"cluster": "shop", "taskDefinition": definition}
    if client.list_clusters()["clusterArns"]:
        client.update_service(service="shop-web", **named)
    else:
        client.create_cluster(clusterName="shop")
        client.create_service(serviceName="shop-web", desiredCount=3, **named)


def container(name: str, variables: dict[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "image": "shop:v1",
        "cpu": 1024,
        "memory": 512,
        "stopTimeout": 15,
        "environment": [{"name": name, "value": value} for name, value in variables.items()],
        "secrets": [
            {
                "name": "SECRET_KEY",
                "valueFrom": f"arn:aws:secretsmanager:{REGION}:1:secret:shop/SECRET_KEY-aB3dEf",
            }
        ],
    }


@pytest.fixture
def settings() -> Configuration:
    found = configuration.load("production", environ={}, missing_secrets="show")
    return replace(found, document={**found.document, "cloud": {"name": "shop", "region": REGION}})
