"""AWS account simulated by moto, served by `python -m packages.groundwork.tests.aws PORT`.

This module adds what Terraform needs and moto lacks, so that terraform/ runs unchanged.
"""

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from groundwork.system import paths, ports
from packages.groundwork.tests.terraform.bound import bound

Environment = dict[str, str]

ACCOUNT, REGION = "123456789012", "eu-central-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
}
AS_MANY_RUN = {
    "MOTO_ECS_SERVICE_RUNNING": str(
        json.loads((paths.CONFIG / "production.json").read_text("utf-8"))["containers"]["web"]["replicas"]
    )
}
"""moto starts no replicas; this makes it report the configured number for a new service."""
AT_ONCE = {**AS_MANY_RUN, "MOTO_ACM_VALIDATION_WAIT": "0"}
SECONDS_TO_START = 60
BROKEN = "broken"
"""Version of an image whose deployments fail."""
KEPT_OF_A_SERVICE = (
    "availabilityZoneRebalancing",
    "deploymentConfiguration",
    "enableECSManagedTags",
    "healthCheckGracePeriodSeconds",
)


@contextmanager
def served(log: Path) -> Iterator[Environment]:
    """Run moto in a new process. Yield an environment in which boto3 and Terraform use only this process."""
    port = ports.any_free()
    with log.open("wb") as output:
        process = subprocess.Popen(
            bound(sys.executable, "-m", "packages.groundwork.tests.aws", str(port)),
            cwd=paths.ROOT,
            env={**os.environ, **AT_ONCE},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(port, process, log)
        yield {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    finally:
        process.terminate()
        process.wait()


def client(environment: Environment, name: str) -> Any:
    import boto3

    return boto3.client(
        name,
        region_name=REGION,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


def push(environment: Environment, repository: str, version: str) -> None:
    """Push an image without layers."""
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    about: dict[str, object] = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1}
    digest = f"sha256:{hashlib.sha256(version.encode()).hexdigest()}"
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": {**about, "digest": digest}, "layers": []}
    client(environment, "ecr").put_image(
        repositoryName=repository, imageTag=version, imageManifest=json.dumps(manifest)
    )


def secrets(environment: Environment, prefix: str) -> dict[str, str]:
    """Return the values of all secrets whose name starts with `prefix/`."""
    manager = client(environment, "secretsmanager")
    names = [each["Name"] for each in manager.list_secrets()["SecretList"] if each["Name"].startswith(f"{prefix}/")]
    return {name: manager.get_secret_value(SecretId=name)["SecretString"] for name in names}


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        assert process.poll() is None, log.read_text("utf-8")
        assert time.monotonic() < deadline, f"no answer after {SECONDS_TO_START} s: {log.read_text('utf-8')}"
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)


def complete() -> None:
    """Add the missing features to moto in this process."""
    _keep_what_a_service_is_told()
    _roll_back_what_is_broken()
    _list_the_tags_of_scalable_targets()
    _tell_who_set_a_parameter()
    _keep_performance_insights()


def _keep_what_a_service_is_told() -> None:
    """Make moto return these settings of a service. Without them, every plan would set them again."""
    from moto.core.utils import camelcase_to_underscores
    from moto.ecs.responses import EC2ContainerServiceResponse as Responses

    create = Responses.create_service

    def create_service(self: Any) -> Any:
        answer: Any = create(self)
        service = answer.result["service"]
        for name in KEPT_OF_A_SERVICE:
            setattr(service, camelcase_to_underscores(name), self._get_param(name))
        return answer

    Responses.create_service = create_service  # type: ignore[method-assign]


def keep_deployments() -> None:
    """Make moto keep deployments, as ECS does for 90 days, with the requested task definition and the outcome."""
    from moto.core.utils import unix_time
    from moto.ecs.responses import EC2ContainerServiceResponse as Responses

    def kept(self: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ecs_backend.__dict__.setdefault("deployments", [])  # a reset deletes it
        return found

    def keeping(change: Any) -> Any:
        def changed(self: Any) -> Any:
            answer = change(self)
            service = answer.result["service"]
            if asked := self._get_param("taskDefinition"):
                definition = self.ecs_backend.describe_task_definition(asked).arn
                arrived = service.task_definition == definition
                kept(self).append(
                    {
                        "targetServiceRevisionArn": f"{service.arn}/{len(kept(self))}",
                        "createdAt": unix_time(),
                        "status": "SUCCESSFUL" if arrived else "ROLLBACK_SUCCESSFUL",
                        "taskDefinition": definition,
                    }
                )
            return answer

        return changed

    def list_service_deployments(self: Any) -> str:
        wanted = self._get_param("status")
        return json.dumps({"serviceDeployments": [each for each in kept(self) if each["status"] in wanted]})

    def describe_service_revisions(self: Any) -> str:
        wanted = self._get_param("serviceRevisionArns")
        found = [each for each in kept(self) if each["targetServiceRevisionArn"] in wanted]
        return json.dumps({"serviceRevisions": [{"taskDefinition": each["taskDefinition"]} for each in found]})

    Responses.create_service = keeping(Responses.create_service)  # type: ignore[method-assign]
    Responses.update_service = keeping(Responses.update_service)  # type: ignore[method-assign]
    Responses.list_service_deployments = list_service_deployments  # type: ignore[attr-defined]
    Responses.describe_service_revisions = describe_service_revisions  # type: ignore[attr-defined]


def _roll_back_what_is_broken() -> None:
    """Make moto keep the previous task definition if the image is BROKEN, as the circuit breaker of ECS does."""
    from moto.ecs.models import EC2ContainerServiceBackend as Backend

    update = Backend.update_service

    def update_service(self: Any, asked: dict[str, Any]) -> Any:
        definition = self.describe_task_definition(asked["task_definition"]) if asked.get("task_definition") else None
        if definition and all(each["image"].endswith(BROKEN) for each in definition.container_definitions):
            asked = {name: value for name, value in asked.items() if name != "task_definition"}
        return update(self, asked)

    Backend.update_service = update_service  # type: ignore[assignment, method-assign]


def _list_the_tags_of_scalable_targets() -> None:
    """Add a call that moto lacks. moto's server error would make the provider retry for an hour."""
    from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse as Responses

    tags: dict[str, dict[str, str]] = {}
    register = Responses.register_scalable_target

    def register_scalable_target(self: Any) -> str:
        answer = register(self)
        tags.setdefault(json.loads(answer)["ScalableTargetARN"], self._get_param("Tags") or {})
        return answer

    def list_tags_for_resource(self: Any) -> str:
        return json.dumps({"Tags": tags.get(self._get_param("ResourceARN"), {})})

    Responses.register_scalable_target = register_scalable_target  # type: ignore[method-assign]
    Responses.list_tags_for_resource = list_tags_for_resource  # type: ignore[attr-defined]


def _tell_who_set_a_parameter() -> None:
    """Make moto return `Source: user`, by which the provider recognizes the parameters that it has set."""
    from moto.rds.models import DBParameterGroup

    update = DBParameterGroup.update_parameters

    def update_parameters(self: Any, new_parameters: Any) -> None:
        update(self, [{**each, "Source": "user"} for each in new_parameters])

    DBParameterGroup.update_parameters = update_parameters  # type: ignore[method-assign]


def _keep_performance_insights() -> None:
    """Make moto return Performance Insights. Without them, every plan would enable them again."""
    from moto.rds.models import DBInstance

    make = DBInstance.__init__

    def keep(self: Any, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        enabled = bool(named.get("enable_performance_insights"))
        self.performance_insights_enabled = enabled
        self.performance_insights_retention_period = 7 if enabled else None

    DBInstance.__init__ = keep  # type: ignore[method-assign]


if __name__ == "__main__":
    from moto.server import main

    complete()
    main(["--host", "127.0.0.1", "--port", sys.argv[1]])
