"""`inv cloud.…` on the command line, with the real Terraform and its provider, on moto.

Each call of Terraform takes seconds, mostly to load its provider. Therefore one test checks all results of a run.
"""

import json
import os
import signal
import subprocess
import time
from typing import Any

import pytest

from groundwork.cloud import context
from groundwork.system.locks import exclusive
from packages.groundwork.tests import aws
from packages.groundwork.tests.cloud.conftest import NAME, Cloud, nothing_new_gets_healthy

pytestmark = pytest.mark.terraform
SECONDS_TO_MAKE_THE_REST = 5
"""Seconds to create the other resources. Terraform loses a resource that is being created at an interrupt."""
LOCK = {
    "ID": "5b1c6e3a-1111-2222-3333-444455556666",
    "Operation": "OperationTypeApply",
    "Who": "grace@laptop",
    "Version": "1.11.4",
    "Created": "2026-01-01T12:00:00Z",
}


def test_a_release_that_fails_leaves_what_serves(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    early = cloud.inv("cloud.status")
    assert (early.returncode, early.stderr) == (1, "nothing is there yet: inv cloud.apply makes it\n")
    assert "+ aws_ecr_repository.web" in cloud.ok("cloud.apply", "--yes")
    cloud.give_image("v1")
    cloud.give_image("v2")
    assert cloud.ok("cloud.deploy", "--tag", "v1").endswith(
        "v1 is deployed: inv cloud.rollback reverts to the previous version\n"
    )
    assert cloud.serving == "v1"

    with monkeypatch.context() as patched:
        migrations_fail(patched, cloud, 3)
        failed = cloud.inv("cloud.deploy", "--tag", "v2")
    assert failed.returncode == 3
    assert 'column "nonsense" does not exist' in failed.stdout
    assert failed.stderr.endswith("the migration ended with 3: Essential container in task exited\n")
    assert cloud.serving == "v1"

    with monkeypatch.context() as patched:
        nothing_new_gets_healthy(patched)
        failed = cloud.inv("cloud.deploy", "--tag", "v2")
    assert failed.returncode == 1
    assert f"(service {NAME}-web) rolling back to deployment ecs-svc/1." in failed.stderr
    assert "the service has version v1; 2 of 2 tasks are running" in failed.stderr
    assert "was rolled back" in failed.stderr
    assert cloud.serving == "v1"

    assert cloud.ok("cloud.deploy", "--tag", "v2").endswith(
        "v2 is deployed: inv cloud.rollback reverts to the previous version\n"
    )
    assert cloud.serving == "v2"
    assert cloud.ok("cloud.rollback") == "v1 is deployed\n"
    assert cloud.serving == "v1"
    assert cloud.ok("cloud.exec", "flask --app wsgi prune") == ""

    cloud.change('"GUNICORN_THREADS": 4', '"GUNICORN_THREADS": 8')
    differs = cloud.inv("cloud.diff")
    assert differs.returncode == 1
    rows = [[f"{name}/environment/GUNICORN_THREADS", "4", "8"] for name in ("proxy", "web")]
    assert sorted(line.split() for line in differs.stdout.splitlines()[1:]) == rows
    cloud.change('"GUNICORN_THREADS": 8', '"GUNICORN_THREADS": 4')

    assert f"{NAME}-web: 2 of 2 tasks running" in cloud.ok("cloud.status")
    cloud.change('"zones": ["a", "b"]', '"zones": ["b", "a"]')
    replaced = cloud.inv("cloud.plan")
    assert replaced.returncode == 1
    assert replaced.stdout == "± aws_db_instance.main  for availability_zone\n1 to make anew\n"
    assert replaced.stderr.endswith("this would lose the database and all that is in it: nothing was changed\n")

    protected = cloud.inv("cloud.destroy", "--yes-i-mean", NAME)
    assert protected.returncode == 1
    assert "aws_db_instance.main is protected, and so are its like: nothing was destroyed. " in protected.stderr


def test_what_was_interrupted_is_gone_on_with_and_what_is_unprotected_is_ended(cloud: Cloud) -> None:
    """The provider waits after each change of a database, so there is time to interrupt it."""
    applying = started(cloud, "cloud.apply", "--unprotected", "--yes")
    while database(cloud)["DeletionProtection"]:
        assert applying.poll() is None, applying.communicate()
        time.sleep(0.1)
    time.sleep(SECONDS_TO_MAKE_THE_REST)

    os.killpg(applying.pid, signal.SIGINT)

    _, said = applying.communicate()
    assert applying.returncode == 130
    assert "terraform finishes what it is in the middle of, keeps its state and gives the lock back" in said
    assert said.endswith(
        "applying was interrupted: Terraform's state has what was done; run the same command again to continue\n"
    )
    assert locks(cloud) == []
    cloud.ok("cloud.apply", "--unprotected", "--yes")
    assert "- aws_db_instance.main" in cloud.ok("cloud.destroy", "--yes-i-mean", NAME)
    assert cloud.aws.client("rds").describe_db_instances()["DBInstances"] == []
    assert cloud.aws.client("ecr").describe_repositories()["repositories"] == []
    assert cloud.inv("cloud.status").stderr == "nothing is there yet: inv cloud.apply makes it\n"


def test_whoever_works_on_it_is_named_to_the_next(cloud: Cloud) -> None:
    put = cloud.aws.client("s3").put_object
    put(Bucket="state", Key="small.tfstate.tflock", Body=json.dumps({**LOCK, "Path": "state/small.tfstate"}))

    refused = cloud.inv("cloud.plan")

    assert refused.returncode == 1
    assert refused.stderr == (
        "grace@laptop works on it since 2026-01-01 12:00:00 +0000 UTC (apply): wait until that has ended; where it was "
        f"killed, terraform -chdir=terraform force-unlock {LOCK['ID']}\n"
    )


def test_an_interrupted_plan_gives_the_state_back(cloud: Cloud) -> None:
    planning = started(cloud, "cloud.plan")
    while not locks(cloud):
        assert planning.poll() is None, planning.stderr
        time.sleep(0.05)

    os.killpg(planning.pid, signal.SIGINT)

    _, said = planning.communicate()
    assert planning.returncode == 130
    assert said.endswith("planning was interrupted: nothing has changed\n")
    assert locks(cloud) == []


def test_two_at_once_are_refused(cloud: Cloud) -> None:
    with exclusive(cloud.clone.folder / ".local" / context.LOCK.name, "nobody else"):
        refused = cloud.inv("cloud.plan")

    assert (refused.returncode, refused.stderr) == (
        1,
        "another inv cloud task is at work from this checkout: wait until it has ended\n",
    )


def test_without_a_bucket_for_the_state_a_line_says_what_makes_it(cloud: Cloud) -> None:
    cloud.configure(state_bucket="nosuch")

    refused = cloud.inv("cloud.plan")

    assert refused.returncode == 1
    assert refused.stderr == (
        "there is no bucket nosuch, in which Terraform would keep what it knows (cloud/state_bucket): "
        "terraform -chdir=terraform/bootstrap init && terraform -chdir=terraform/bootstrap apply makes it\n"
    )


@pytest.fixture(autouse=True)
def _replicas_that_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws.AS_MANY_RUN.items():
        monkeypatch.setenv(name, value)


def started(cloud: Cloud, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        cloud.clone.command(*arguments),
        cwd=cloud.clone.folder, env=cloud.clone.environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0,
    )  # fmt: skip


def database(cloud: Cloud) -> dict[str, Any]:
    found: dict[str, Any] = cloud.aws.client("rds").describe_db_instances()["DBInstances"][0]
    return found


def locks(cloud: Cloud) -> list[str]:
    kept = cloud.aws.client("s3").list_objects_v2(Bucket="state").get("Contents", [])
    return [each["Key"] for each in kept if each["Key"].endswith(".tflock")]


def migrations_fail(patched: pytest.MonkeyPatch, cloud: Cloud, code: int) -> None:
    """Make all later one-off tasks log a line and exit with the code."""
    from moto.ecs.models import EC2ContainerServiceBackend

    original = EC2ContainerServiceBackend.run_task

    def run_task(*arguments: Any, **named: Any) -> Any:
        tasks = original(*arguments, **named)
        for task in tasks:
            task.containers[0].exitCode, task.stopped_reason = code, "Essential container in task exited"
            cloud.say(task.task_arn, 'column "nonsense" does not exist')
        return tasks

    patched.setattr(EC2ContainerServiceBackend, "run_task", run_task)
