"""Pushing an image, for real: to Debian's own registry, on loopback, behind the password that ECR gives."""

import base64
import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from invoke.exceptions import Exit

from ops import ports
from ops.cloud.registry import Registry
from ops.project import NAME
from tests import registry as debian
from tests.ops.cloud.conftest import Aws, give_image
from tests.ops.conftest import wait_until

PASSWORD = "123456789012-auth-token"
"""moto's, for whoever calls himself AWS."""
USERS = "AWS:$2b$04$abcdefghijklmnopqrstuu/cMn6kFoLFEf9ShbIPSVtJoiKQtizZG"
"""The same by bcrypt, which is all that this registry knows."""


@pytest.mark.engine
@pytest.mark.registry
def test_an_image_is_pushed_under_its_version_and_its_name_is_gone_here(aws: Aws, address: str) -> None:
    registry = Registry(aws.client("ecr"), f"{address}/{NAME}")

    registry.push("python:3.13-slim", "v1")

    assert ask(address, f"/v2/{NAME}/tags/list") == {"name": NAME, "tags": ["v1"]}
    left = subprocess.run(["docker", "images", "-q", registry.reference("v1")], capture_output=True, check=True)
    assert left.stdout == b""


@pytest.mark.engine
def test_a_registry_that_is_not_there_is_told(aws: Aws) -> None:
    with pytest.raises(Exit) as failed:
        Registry(aws.client("ecr"), f"127.0.0.1:{ports.any_free()}/{NAME}").push("python:3.13-slim", "v1")

    assert failed.value.code == 1
    assert "connection refused" in str(failed.value)


def test_what_the_registry_has_is_told_the_newest_first(aws: Aws) -> None:
    ecr = aws.client("ecr")
    registry = Registry(ecr, ecr.create_repository(repositoryName=NAME)["repository"]["repositoryUri"])
    for version in ("v1", "v2"):
        give_image(aws, version)

    registry.require("v1")
    with pytest.raises(Exit) as refused:
        registry.require("v3")

    assert str(refused.value).startswith("there is no image 'v3' in 123456789012.dkr.ecr.eu-central-1.amazonaws.com")
    assert set(registry.versions()) == {"v1", "v2"}
    assert registry.digest("v3") is None


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where one listens that is ended with the test."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))  # its passwords are no business of the machine's
    port = ports.any_free()
    users, configuration = tmp_path / "htpasswd", tmp_path / "registry.yml"
    users.write_text(USERS)
    settings: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "images")}},
        "http": {"addr": f"127.0.0.1:{port}"},
        "auth": {"htpasswd": {"realm": "here", "path": str(users)}},
    }
    configuration.write_text(json.dumps(settings))
    with subprocess.Popen([str(debian.program()), "serve", str(configuration)], stderr=subprocess.DEVNULL) as registry:
        try:
            wait_until(lambda: ports.is_taken(port))
            yield f"127.0.0.1:{port}"
        finally:
            registry.terminate()


def ask(address: str, path: str) -> Any:
    known = base64.b64encode(f"AWS:{PASSWORD}".encode()).decode()
    request = urllib.request.Request(f"http://{address}{path}", headers={"Authorization": f"Basic {known}"})
    with urllib.request.urlopen(request) as answered:  # noqa: S310  loopback
        return json.load(answered)
