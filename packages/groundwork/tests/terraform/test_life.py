"""Life cycle of a stack, from the first apply to the destroy, with the real Terraform and provider."""

import json
import re
from collections.abc import Callable

import pytest

from groundwork.configuration import loader
from groundwork.system.paths import NAME
from packages.groundwork.tests.terraform.life import ONE
from packages.groundwork.tests.terraform.stack import REPOSITORY, Document, Outcome

pytestmark = pytest.mark.terraform
Life = Callable[[str], Outcome]
DEFINITION, SERVICE = "aws_ecs_task_definition", "aws_ecs_service.web[0]"
POLICY = "aws_appautoscaling_policy"
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
        f"{DEFINITION}.command[0]": ["delete", "create"],
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
    names = {each["name"] for container in containers for each in container["environment"]}
    assert not names & set(loader.load("production", missing_secrets="show").secrets)


def test_the_release_role_may_write_the_state_alone_and_run_the_migration_in_the_cluster_alone(life: Life) -> None:
    policy = json.loads(only(json.loads(life("state").said), "aws_iam_role_policy", "release")["policy"])
    statements = {each["Sid"]: each for each in policy["Statement"]}
    key = f"arn:aws:s3:::{NAME}-terraform-state/{NAME}.tfstate"

    writing = [each["Resource"] for each in statements.values() if "s3:PutObject" in each["Action"]]
    deleting = [each["Resource"] for each in statements.values() if "s3:DeleteObject" in each["Action"]]
    assert (*map(sorted, writing), deleting) == ([key, f"{key}.tflock"], [f"{key}.tflock"])
    assert statements["Migrate"]["Resource"].endswith(f":task-definition/{NAME}-migrate:*")
    assert statements["Migrate"]["Condition"]["ArnEquals"]["ecs:cluster"].endswith(f":cluster/{NAME}")


def test_the_load_balancer_reaches_nginx_and_nothing_else_of_the_task(life: Life) -> None:
    state = json.loads(life("state").said)
    (target,) = only(state, "aws_ecs_service", "web")["load_balancer"]
    rules = [each for each in state["resources"] if each["type"] == "aws_vpc_security_group_ingress_rule"]
    ports = {each["index_key"]: each["attributes"]["from_port"] for rule in rules for each in rule["instances"]}

    assert (target["container_name"], target["container_port"]) == ("proxy", 8080)
    assert ports["load-balancer to web"] == 8080


def test_autoscaling_measures_the_part_of_the_task_that_gunicorn_can_use(life: Life) -> None:
    policies = [each for each in json.loads(life("state").said)["resources"] if each["type"] == POLICY]
    (cpu,) = (each for policy in policies for each in policy["instances"] if each["index_key"] == "cpu")
    (tracking,) = cpu["attributes"]["target_tracking_scaling_policy_configuration"]

    assert tracking["target_value"] == 30  # 60 % of one CPU, of a task with two


def test_expired_records_are_deleted_daily_by_a_role_that_may_start_commands_alone(life: Life) -> None:
    state = json.loads(life("state").said)
    schedule = only(state, "aws_scheduler_schedule", "prune")
    (target,) = schedule["target"]
    statements = json.loads(only(state, "aws_iam_role_policy", "schedule")["policy"])["Statement"]

    assert schedule["schedule_expression"] == "cron(15 3 * * ? *)"
    assert json.loads(target["input"])["containerOverrides"][0]["command"] == ["flask", "--app", "wsgi", "prune"]
    assert target["ecs_parameters"][0]["task_definition_arn"].endswith(f":task-definition/{NAME}-command")
    assert target["ecs_parameters"][0]["network_configuration"][0]["assign_public_ip"] is False
    assert {each["Action"] for each in statements} == {"ecs:RunTask", "iam:PassRole"}
    assert statements[0]["Condition"]["ArnEquals"]["ecs:cluster"].endswith(f":cluster/{NAME}")
    assert all("*" not in resource.rpartition(":")[0] for each in statements for resource in each["Resource"])


def test_the_default_security_group_lets_nothing_through_and_the_network_s_traffic_is_logged(life: Life) -> None:
    state = json.loads(life("state").said)
    group = only(state, "aws_default_security_group", "main")
    log = only(state, "aws_flow_log", "main")

    assert (group["ingress"], group["egress"]) == ([], [])
    assert log["log_destination"] == only(state, "aws_s3_bucket", "access_logs")["arn"]


def test_the_secrets_have_values_of_their_own(life: Life) -> None:
    values = json.loads(life("values of the secrets").said)
    names = loader.load("production", missing_secrets="show").secrets

    assert len(values) == len({*values.values()}) == len(names)
    assert all(RANDOM.fullmatch(value) for value in values.values())


def test_the_outputs_are_what_inv_cloud_asks_for(life: Life) -> None:
    outputs = {name: each["value"] for name, each in json.loads(life("outputs").said).items()}

    assert outputs["region"] == "eu-central-1"
    assert (outputs["cluster"], outputs["service"]) == (NAME, f"{NAME}-web")
    families = [outputs[f"{use}_family"] for use in ("web", "command", "migrate")]
    assert families == [f"{NAME}-web", f"{NAME}-command", f"{NAME}-migrate"]
    assert outputs["web_task_definition"].endswith(f":task-definition/{NAME}-web:1")
    assert outputs["migrate_task_definition"].endswith(f":task-definition/{NAME}-migrate:1")
    assert len(outputs["subnets"]) == 2
    assert len(outputs["migrate_security_groups"]) == 1
    assert outputs["log_group"] == f"/{NAME}/service"
    assert outputs["alarms_topic"].endswith(f":{NAME}-alarms")
    assert outputs["url"] == "https://shop.example.com"


def test_the_state_is_in_the_bucket_and_nothing_is_left_in_it(life: Life) -> None:
    assert 'backend "s3"' in life("init").said
    assert life("what is left").said == ""


def container(plan: Outcome, name: str) -> Document:
    planned = plan.planned(f"{DEFINITION}.{name}[0]")
    found: Document = next(each for each in json.loads(planned["container_definitions"]) if each["name"] == name)
    assert found["image"] == ONE
    return found


def only(state: Document, kind: str, name: str) -> Document:
    (found,) = (each for each in state["resources"] if (each["type"], each["name"]) == (kind, name))
    attributes: Document = found["instances"][0]["attributes"]
    return attributes
