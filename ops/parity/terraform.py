"""What Terraform plans for ECS. The plan is made as in `terraform test`: nobody at AWS is asked, nothing is kept."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from invoke.exceptions import Exit

from ops import project, shell
from ops.cloud import terraform as command
from ops.configuration import Configuration
from ops.parity import definition
from ops.parity.facts import CONTAINERS, Facts, NotToBeHad

DEFINITION = "aws_ecs_task_definition"
ACCOUNT, VERSION = "000000000000", "parity"


def facts(settings: Configuration) -> Facts:
    """Raises NotToBeHad, or Exit with what Terraform complains of."""
    return definition.facts(planned(settings))


def planned(settings: Configuration) -> dict[str, dict[str, Any]]:
    """The containers, as ECS is to be told of them. Raises likewise."""
    if "cloud" not in settings.document:
        raise NotToBeHad("config/production.json has no section cloud")
    try:
        command.require()
    except Exit as lacking:
        raise NotToBeHad(str(lacking)) from None
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "terraform"
        shutil.copytree(project.ROOT / "terraform", folder, ignore=shutil.ignore_patterns(".terraform", "tests"))
        shutil.copytree(project.CONFIG, Path(made) / "config")
        (folder / "tests").mkdir()
        (folder / "tests" / "parity.tftest.json").write_text(json.dumps(_run(settings)), "utf-8")
        _init(folder)
        said = _terraform(folder, "test", "-json", "-verbose")
    events = _events(said.stdout)
    if said.returncode:
        raise Exit(_complaints(events) or said.stderr.strip(), code=1)
    plan = next(each["test_plan"] for each in events if each["type"] == "test_plan")
    return {name: _container(plan, name) for name in CONTAINERS}


def _container(plan: dict[str, Any], name: str) -> dict[str, Any]:
    """Raises Exit where it depends on what nobody knows yet."""
    for change in plan["resource_changes"]:
        if (change["type"], change["name"]) == (DEFINITION, name):
            containers = json.loads(change["change"]["after"].get("container_definitions") or "[]")
            for container in containers:
                if container["name"] == name:
                    found: dict[str, Any] = container
                    return found
    raise Exit(
        f"terraform/: the plan does not say what {DEFINITION}.{name} gets: what it refers to must have a stand-in in "
        f"{project.shown(Path(__file__))}",
        code=1,
    )


def _run(settings: Configuration) -> dict[str, Any]:
    """The one run of a Terraform test: a plan of the task definitions, with stand-ins for what only AWS knows."""
    region = settings.document["cloud"]["region"]
    repository = f"{ACCOUNT}.dkr.ecr.{region}.amazonaws.com/{settings.document['cloud']['name']}"
    image = f"{repository}:{VERSION}"
    secret = f"arn:aws:secretsmanager:{region}:{ACCOUNT}:secret"
    values = {
        "aws_db_instance.main": {
            "address": "database.rds",
            "port": settings.document["environment"]["POSTGRES_PORT"],
            "master_user_secret": [{"secret_arn": f"{secret}:master"}],
        },
        "aws_ecr_repository.web": {"repository_url": repository},
        "aws_iam_role.task": {"arn": f"arn:aws:iam::{ACCOUNT}:role/task"},
        "aws_iam_role.execution": {"arn": f"arn:aws:iam::{ACCOUNT}:role/execution"},
        **{
            f'aws_secretsmanager_secret.of["{name}"]': {"arn": f"{secret}:{name}"}
            for name in settings.document["secrets"]
        },
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
        "override_resource": [_stand_in(*each) for each in values.items()],
        "override_data": [_stand_in(*each) for each in data.items()],
        "run": {
            "containers": {
                "command": "plan",
                "plan_options": {"target": [f"{DEFINITION}.{name}" for name in CONTAINERS]},
                "variables": {"web_image": image, "migrate_image": image},
            }
        },
    }


def _stand_in(target: str, values: dict[str, Any]) -> dict[str, Any]:
    return {"target": target, "override_during": "plan", "values": values}


def _init(folder: Path) -> None:
    done = _terraform(folder, "init", "-json", "-backend=false")
    if done.returncode:
        raise NotToBeHad(_complaints(_events(done.stdout)) or done.stderr.strip())


def _events(said: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def _complaints(events: list[dict[str, Any]]) -> str:
    told = [each["diagnostic"] for each in events if each.get("diagnostic", {}).get("severity") == "error"]
    return "\n".join(map(command.complaint, told))


def _terraform(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    kept = project.LOCAL / "parity"  # the provider, which is large
    return subprocess.run(
        ["terraform", f"-chdir={folder}", *arguments],
        env=shell.environment({**command.CALM, "TF_DATA_DIR": str(kept)}), capture_output=True, text=True, check=False,
    )  # fmt: skip
