"""Settings from a Terraform plan. `terraform test` makes the plan without a call to AWS and without state."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from groundwork.cloud import terraform as command
from groundwork.configuration.loader import Configuration
from groundwork.parity import definition
from groundwork.parity.settings import TASKS, Settings, Unavailable
from groundwork.system import paths, shell
from groundwork.system.errors import Exit

DEFINITION = "aws_ecs_task_definition"
ACCOUNT, VERSION = "000000000000", "parity"


def read(configuration: Configuration) -> Settings:
    """Return the planned settings. Raises Unavailable, or Exit with the errors of Terraform."""
    return definition.read(planned_containers(configuration))


def planned_containers(configuration: Configuration) -> dict[str, dict[str, Any]]:
    """Return the planned container definitions by name. Raises as `read` does."""
    if not configuration.has("cloud"):
        raise Unavailable("config/production.json has no section cloud")
    try:
        command.require()
    except Exit as error:
        raise Unavailable(str(error)) from None
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "terraform"
        shutil.copytree(paths.ROOT / "terraform", folder, ignore=shutil.ignore_patterns(".terraform", "tests"))
        shutil.copytree(paths.CONFIG, Path(temporary) / "config")
        (folder / "tests").mkdir()
        (folder / "tests" / "parity.tftest.json").write_text(json.dumps(_run(configuration)), "utf-8")
        _init(folder)
        result = _terraform(folder, "test", "-json", "-verbose")
    events = _events(result.stdout)
    if result.returncode:
        raise Exit(_error_messages(events) or result.stderr.strip(), code=1)
    plan = next(each["test_plan"] for each in events if each["type"] == "test_plan")
    return {name: _container(plan, task, name) for task, names in TASKS.items() for name in names}


def _container(plan: dict[str, Any], task: str, name: str) -> dict[str, Any]:
    """Return the definition of a container. Raises Exit if it depends on a value known only after apply."""
    for change in plan["resource_changes"]:
        if (change["type"], change["name"]) == (DEFINITION, task):
            containers = json.loads(change["change"]["after"].get("container_definitions") or "[]")
            for container in containers:
                if container["name"] == name:
                    found: dict[str, Any] = container
                    return found
    raise Exit(
        f"terraform/: the plan does not contain the containers of {DEFINITION}.{task}: add an override for each "
        f"resource that it refers to in {paths.display(Path(__file__))}",
        code=1,
    )


def _run(configuration: Configuration) -> dict[str, Any]:
    """Return a Terraform test that plans the task definitions, with overrides for values that AWS assigns."""
    region = configuration.cloud.region
    repository = f"{ACCOUNT}.dkr.ecr.{region}.amazonaws.com/{configuration.cloud.name}"
    image = f"{repository}:{VERSION}"
    secret = f"arn:aws:secretsmanager:{region}:{ACCOUNT}:secret"
    values: dict[str, dict[str, Any]] = {
        "aws_db_instance.main": {
            "address": "database.rds",
            "port": int(configuration["POSTGRES_PORT"]),
            "master_user_secret": [{"secret_arn": f"{secret}:master"}],
        },
        "aws_ecr_repository.web": {"repository_url": repository},
        "aws_iam_role.task": {"arn": f"arn:aws:iam::{ACCOUNT}:role/task"},
        "aws_iam_role.execution": {"arn": f"arn:aws:iam::{ACCOUNT}:role/execution"},
        **{f'aws_secretsmanager_secret.of["{name}"]': {"arn": f"{secret}:{name}"} for name in configuration.secrets},
    }
    data: dict[str, dict[str, Any]] = {
        "data.aws_caller_identity.current": {"account_id": ACCOUNT},
        "data.aws_ecr_images.pushed": {"image_ids": [{"image_tag": VERSION}]},
    }
    return {
        "provider": {
            "aws": {
                "region": region,
                "access_key": "nobody",
                "secret_key": "nothing",
                "skip_credentials_validation": True,
                "skip_metadata_api_check": True,
                "skip_requesting_account_id": True,
            }
        },
        "override_resource": [_override(*each) for each in values.items()],
        "override_data": [_override(*each) for each in data.items()],
        "run": {
            "containers": {
                "command": "plan",
                "plan_options": {"target": [f"{DEFINITION}.{name}" for name in TASKS]},
                "variables": {"web_image": image, "migrate_image": image},
            }
        },
    }


def _override(target: str, values: dict[str, Any]) -> dict[str, Any]:
    return {"target": target, "override_during": "plan", "values": values}


def _init(folder: Path) -> None:
    result = _terraform(folder, "init", "-json", "-backend=false")
    if result.returncode:
        raise Unavailable(_error_messages(_events(result.stdout)) or result.stderr.strip())


def _events(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def _error_messages(events: list[dict[str, Any]]) -> str:
    errors = [each["diagnostic"] for each in events if each.get("diagnostic", {}).get("severity") == "error"]
    return "\n".join(map(command.complaint, errors))


def _terraform(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    data = paths.LOCAL / "parity"  # keeps the provider, which is large, between runs
    return subprocess.run(
        ["terraform", f"-chdir={folder}", *arguments],
        env=shell.environment({**command.CALM, "TF_DATA_DIR": str(data)}), capture_output=True, text=True, check=False,
    )  # fmt: skip
