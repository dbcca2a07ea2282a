"""A stack from its first apply to its end, by the real Terraform and the real provider."""

import json
import re
from collections.abc import Callable

import pytest

from ops import configuration
from ops.project import NAME
from tests.terraform.life import ONE
from tests.terraform.stack import REPOSITORY, Document, Outcome

pytestmark = pytest.mark.terraform
Life = Callable[[str], Outcome]
DEFINITION, SERVICE = "aws_ecs_task_definition", "aws_ecs_service.web[0]"
RANDOM = re.compile(r"[A-Za-z0-9]{43}")


@pytest.mark.parametrize("step", ["bootstrap", "init", "first apply", "release", "change", "destroy"])
def test_every_step_succeeds(life: Life, step: str) -> None:
    outcome = life(step)

    assert outcome.code == 0, outcome.said


def test_before_the_first_image_there_is_a_repository_and_nothing_that_would_run(life: Life) -> None:
    outputs = {name: each["value"] for name, each in json.loads(life("first outputs").said).items()}

    assert outputs["repository_url"] == REPOSITORY
    assert "web_task_definition" not in outputs


def test_what_was_applied_is_what_was_asked_for(life: Life) -> None:
    plan = life("second plan")

    assert plan.code == 0, plan.said


def test_a_changed_setting_changes_the_tasks_and_the_service_alone(life: Life) -> None:
    plan = life("plan of a change")

    assert plan.changes == {
        f"{DEFINITION}.migrate[0]": ["delete", "create"],
        f"{DEFINITION}.web[0]": ["delete", "create"],
        SERVICE: ["update"],
    }
    environment = container(plan, "web")["environment"]
    assert {"name": "LOG_LEVEL", "value": "WARNING"} in environment


def test_a_release_that_was_rolled_back_is_no_success(life: Life) -> None:
    release = life("broken release")

    assert release.code == 1
    told = "The new task definition did not get stable and was rolled back: "
    assert told in " ".join(release.said.split())


def test_an_image_that_was_not_pushed_ends_the_plan(life: Life) -> None:
    plan = life("plan without its image")

    assert plan.code == 1
    assert 'with data.aws_ecr_image.must_be_pushed["web"]' in plan.said


def test_no_state_and_no_environment_holds_a_secret(life: Life) -> None:
    state = json.loads(life("state").said)
    secrets = [each for each in state["resources"] if each["type"] == "aws_secretsmanager_secret_version"]
    containers = json.loads(only(state, DEFINITION, "web")["container_definitions"])

    assert secrets
    assert not RANDOM.search(json.dumps(secrets))
    assert only(state, "aws_db_instance", "main")["password"] is None
    names = {each["name"] for each in containers[0]["environment"]}
    assert not names & set(configuration.load("production", missing_secrets="show").document["secrets"])


def test_the_secrets_have_values_of_their_own(life: Life) -> None:
    values = json.loads(life("values of the secrets").said)
    names = configuration.load("production", missing_secrets="show").document["secrets"]

    assert len(values) == len({*values.values()}) == len(names)
    assert all(RANDOM.fullmatch(value) for value in values.values())


def test_the_outputs_are_what_inv_cloud_asks_for(life: Life) -> None:
    outputs = {name: each["value"] for name, each in json.loads(life("outputs").said).items()}

    assert outputs["region"] == "eu-central-1"
    assert (outputs["cluster"], outputs["service"]) == (NAME, f"{NAME}-web")
    assert (outputs["web_family"], outputs["migrate_family"]) == (f"{NAME}-web", f"{NAME}-migrate")
    assert outputs["web_task_definition"].endswith(f":task-definition/{NAME}-web:1")
    assert outputs["migrate_task_definition"].endswith(f":task-definition/{NAME}-migrate:1")
    assert len(outputs["subnets"]) == 2
    assert len(outputs["migrate_security_groups"]) == 1
    assert outputs["log_group"] == f"/{NAME}/service"
    assert outputs["url"] == "https://shop.example.com"


def test_the_state_is_in_the_bucket_and_nothing_is_left_in_it(life: Life) -> None:
    assert 'backend "s3"' in life("init").said
    assert life("what is left").said == ""


def container(plan: Outcome, name: str) -> Document:
    planned = plan.planned(f"{DEFINITION}.{name}[0]")
    (found,) = json.loads(planned["container_definitions"])
    assert found["image"] == ONE
    return dict(found)


def only(state: Document, kind: str, name: str) -> Document:
    (found,) = (each for each in state["resources"] if (each["type"], each["name"]) == (kind, name))
    attributes: Document = found["instances"][0]["attributes"]
    return attributes
