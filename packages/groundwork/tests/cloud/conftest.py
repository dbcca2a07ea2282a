"""Fixtures for AWS simulated by moto in this process, with real calls of boto3 and Terraform.

moto runs no containers, so tests set the state of services and tasks in moto.
"""

import json
import logging
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from groundwork.cloud import context
from groundwork.cloud.context import Stage
from groundwork.cloud.registry import PROXY
from groundwork.configuration import loader
from groundwork.system import paths, shell
from packages.groundwork.tests.aws import ACCOUNT, CREDENTIALS, REGION, client, keep_deployments, push
from packages.groundwork.tests.cloud import stage
from packages.groundwork.tests.conftest import Clone
from packages.groundwork.tests.terraform import provider

NAME = paths.NAME
SMALL = Path(__file__).parent / "small"
LOCK_FILE = ".terraform.lock.hcl"


@dataclass(frozen=True)
class Aws:
    environment: dict[str, str]

    def client(self, name: str) -> Any:
        return _client(name, self.environment["AWS_ENDPOINT_URL"])

    @property
    def ecs(self) -> Any:
        """ECS state in moto, where tests set what real machines would do to services and tasks."""
        from moto.ecs.models import ecs_backends

        return ecs_backends[ACCOUNT][REGION]


@cache
def _client(name: str, url: str) -> Any:
    """Return a client, once per run, because loading an AWS service definition takes most of a second."""
    return client({**CREDENTIALS, "AWS_ENDPOINT_URL": url}, name)


@dataclass(frozen=True)
class Cloud:
    """Clone with the small terraform/ of the tests, and its AWS account."""

    clone: Clone
    aws: Aws
    url: str

    def inv(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.clone.command(*arguments),
            cwd=self.clone.folder,
            env={**self.clone.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def ok(self, *arguments: str) -> str:
        finished = self.inv(*arguments)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    def configure(self, **values: object) -> None:
        """Set values in the section `cloud` of the clone's configuration."""
        path = self.clone.folder / "config" / "production.json"
        document = json.loads(path.read_text())
        document["cloud"] |= values
        path.write_text(json.dumps(document))

    def change(self, old: str, new: str) -> None:
        """Replace text in the clone's configuration. Fail if it is missing."""
        path = self.clone.folder / "config" / "production.json"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def give_image(self, version: str) -> None:
        give_image(self.aws, version)

    def say(self, task: str, message: str) -> None:
        """Write a log line as the container of the task would."""
        logs, group = self.aws.client("logs"), f"/{NAME}/service"
        stream = f"migrate/migrate/{task.rpartition('/')[2]}"
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        event = {"timestamp": int(time.time() * 1000), "message": message}
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])

    @property
    def serving(self) -> str:
        """Version that the service in ECS runs, or `nothing`."""
        service = self.aws.ecs.services.get(f"{NAME}:{NAME}-web")
        if service is None or service.status == "INACTIVE":
            return "nothing"
        definition = self.aws.ecs.describe_task_definition(service.task_definition)
        (image,) = (each["image"] for each in definition.container_definitions if each["name"] == "web")
        return str(image).rpartition(":")[2]


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    keep_deployments()
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(moto: str, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """Return an empty account, and set the environment to use it."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    found = account(moto)
    for name, value in found.environment.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def standing(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Return a stage as Terraform would create it: a service with two tasks of version v1."""
    monkeypatch.setenv("MOTO_ECS_SERVICE_RUNNING", "2")
    outputs = stage.create(aws.client)
    give_image(aws, "v1")
    made = Stage(loader.load("production", missing_secrets="show"), aws, outputs)

    @contextmanager
    def given(**_: Any) -> Iterator[Stage]:
        with shell.interruptible():
            yield made

    monkeypatch.setattr(context, "looking", given)
    monkeypatch.setattr(context, "working", given)
    return made


@pytest.fixture(scope="session")
def attached(moto: str) -> Iterator[dict[str, str]]:
    """Yield an environment in which all Terraform commands share one provider process."""
    with provider.attached({**CREDENTIALS, "AWS_ENDPOINT_URL": moto}) as environment:
        yield environment


@pytest.fixture
def cloud(moto: str, clone: Clone, attached: dict[str, str]) -> Iterator[Cloud]:
    """Yield a clone and an account in which nothing was applied yet."""
    found = account(moto)
    shutil.rmtree(clone.folder / "terraform", ignore_errors=True)
    shutil.copytree(SMALL, clone.folder / "terraform")
    shutil.copy(paths.ROOT / "terraform" / LOCK_FILE, clone.folder / "terraform")
    with closing(Answering()) as answering:
        environment = {
            **clone.environment,
            **found.environment,
            **attached,
            "HOME": str(clone.folder),
            "TF_VAR_url": answering.url,
            "TF_CLI_ARGS_init": f"-plugin-dir={provider.mirror()} -backend-config=use_path_style=true",
        }
        made = Cloud(Clone(clone.folder, environment), found, answering.url)
        answering.cloud = made
        made.configure(state_bucket="state")
        found.client("s3").create_bucket(Bucket="state", CreateBucketConfiguration={"LocationConstraint": REGION})
        found.client("rds").create_db_instance(
            DBInstanceIdentifier=NAME, Engine="postgres", DBInstanceClass="db.t4g.small", AllocatedStorage=20,
            StorageEncrypted=True, MasterUsername="master", MasterUserPassword="the test's own",
            DeletionProtection=True, AvailabilityZone=f"{REGION}a",
        )  # fmt: skip
        yield made


class Answering:
    """HTTP server in place of the service that returns the version from ECS."""

    cloud: Cloud | None = None

    def __init__(self) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler) -> None:  # noqa: N805  self is the outer object
                body = json.dumps({"status": "ok", "version": self.cloud.serving if self.cloud else ""}).encode()
                handler.send_response(200)
                handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                handler.wfile.write(body)

            def log_message(handler, *_: object) -> None: ...  # noqa: N805

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=[0.05]).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def tasks_that_go_on() -> Iterator[None]:
    """Keep tasks running until the test ends them. By default, moto ends them after a few describe calls."""
    from moto.moto_api import state_manager

    state_manager.set_transition("ecs::task", {"progression": "manual", "times": 1_000_000})
    yield
    state_manager.unset_transition("ecs::task")


def give_image(aws: Aws, version: str) -> None:
    """Add both images of a version to moto's registry, which is only a list and accepts no docker push."""
    push(aws.environment, NAME, version)
    push(aws.environment, NAME, f"{PROXY}{version}")


def nothing_new_gets_healthy(patched: pytest.MonkeyPatch) -> None:
    """Make every update roll back with an event, as the circuit breaker of ECS does."""
    from moto.core.utils import utcnow
    from moto.ecs.models import EC2ContainerServiceBackend

    original = EC2ContainerServiceBackend.update_service

    def update_service(backend: Any, properties: dict[str, Any]) -> Any:
        before = backend.services[f"{NAME}:{NAME}-web"].task_definition
        service = original(backend, properties)
        service.task_definition = before
        message = f"(service {NAME}-web) rolling back to deployment ecs-svc/1."
        service.events.insert(0, {"id": "1", "createdAt": utcnow(), "message": message})
        return service

    patched.setattr(EC2ContainerServiceBackend, "update_service", update_service)


def account(moto: str) -> Aws:
    with closing(HTTPConnection(moto.removeprefix("http://"))) as connection:
        connection.request("POST", "/moto-api/reset")
        assert connection.getresponse().status == 200
    return Aws({**CREDENTIALS, "AWS_ENDPOINT_URL": moto})
