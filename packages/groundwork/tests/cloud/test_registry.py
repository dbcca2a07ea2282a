"""Real image pushes to Debian's registry on loopback, with the password from ECR."""

import base64
import hashlib
import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from groundwork.cloud.registry import MANIFESTS, Registry
from groundwork.production import images, stack
from groundwork.system import ports
from groundwork.system.errors import Exit
from groundwork.system.paths import NAME
from packages.groundwork.tests.cloud import registry as debian
from packages.groundwork.tests.cloud.conftest import Aws, give_image
from packages.groundwork.tests.conftest import wait_until

PASSWORD = "123456789012-auth-token"
"""Password that moto issues for the user AWS."""
USERS = "AWS:$2b$04$abcdefghijklmnopqrstuu/cMn6kFoLFEf9ShbIPSVtJoiKQtizZG"
"""The same password as a bcrypt hash, the only format that this registry accepts."""


@pytest.mark.engine
@pytest.mark.registry
def test_an_image_is_pushed_under_its_version_and_its_name_is_gone_here(aws: Aws, address: str) -> None:
    registry = Registry(aws.client("ecr"), f"{address}/{NAME}")

    registry.push("python:3.13-slim", "v1")

    assert ask(address, f"/v2/{NAME}/tags/list") == {"name": NAME, "tags": ["v1"]}
    left = subprocess.run(["docker", "images", "-q", registry.reference("v1")], capture_output=True, check=True)
    assert left.stdout == b""


@pytest.mark.engine
@pytest.mark.registry
def test_an_image_from_an_archive_is_the_one_that_was_built(
    aws: Aws, address: str, tmp_path: Path, small_image: str
) -> None:
    version, archive = small_image.rpartition(":")[2], tmp_path / "image.tar"
    built = docker("image", "inspect", "--format", "{{.Id}} {{.Os}}/{{.Architecture}}", small_image).split()
    proxy = f"{images.PROXY}:{version}"
    docker("tag", small_image, proxy)
    images.save([small_image], str(alone := tmp_path / "alone.tar"))
    images.save([small_image, proxy], str(archive))
    docker("rmi", small_image, proxy)

    loaded = images.load(str(archive), version, built[1])
    with pytest.raises(Exit) as refused:
        images.load(str(archive), "v0", built[1])
    with pytest.raises(Exit, match=f"^{alone}: has no image of proxy: inv prod.build --tag {version} --archive "):
        images.load(str(alone), version, built[1])
    assert {each: name for each, (name, _) in loaded.items()} == {"web": small_image, "proxy": proxy}
    docker("rmi", proxy)
    name, image = loaded["web"]
    Registry(aws.client("ecr"), f"{address}/{NAME}").push(name, version)

    pushed = ask(address, f"/v2/{NAME}/manifests/{version}")
    assert image == built[0]
    assert image in (pushed.get("config", {}).get("digest"), digest(address, f"/v2/{NAME}/manifests/{version}"))
    assert str(refused.value).startswith(f"{archive}: expected version v0 for {built[1]}, got {name} for {built[1]}: ")


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
    assert registry.digest("proxy-v1")
    with pytest.raises(Exit) as refused:
        registry.require("v3")

    assert str(refused.value).startswith("there is no image 'v3' in 123456789012.dkr.ecr.eu-central-1.amazonaws.com")
    assert set(registry.versions()) == {"v1", "v2"}
    assert registry.digest("v3") is None
    assert registry.holds("v1", f"sha256:{hashlib.sha256(b'v1').hexdigest()}")
    assert registry.holds("v1", str(registry.digest("v1")))
    assert not registry.holds("v1", f"sha256:{hashlib.sha256(b'v2').hexdigest()}")


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run a registry and yield its address."""
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


@pytest.fixture
def small_image(tmp_path: Path) -> Iterator[str]:
    """Build a nearly empty image of the service with a unique version, and yield its name."""
    name = f"{stack.IMAGE}:{tmp_path.name}"
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    docker("build", "--quiet", "--tag", name, str(folder))
    yield name
    subprocess.run(["docker", "rmi", "--force", name], capture_output=True, check=False)


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


def digest(address: str, path: str) -> str | None:
    with answered(address, path) as answer:
        return answer.headers["Docker-Content-Digest"]  # type: ignore[no-any-return]


def ask(address: str, path: str) -> Any:
    with answered(address, path) as answer:
        return json.load(answer)


def answered(address: str, path: str) -> Any:
    known = base64.b64encode(f"AWS:{PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {known}", "Accept": ", ".join(["application/json", *MANIFESTS])}
    return urllib.request.urlopen(urllib.request.Request(f"http://{address}{path}", headers=headers))
