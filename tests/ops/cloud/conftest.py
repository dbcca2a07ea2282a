"""AWS, as moto plays it in this process: real calls of boto3 and Terraform, and tasks whose end the tests choose.

moto runs no containers. What ECS would say of them is therefore said by the tests, in moto's own state.
"""

import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

import pytest

REGION = "eu-central-1"
ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Aws:
    environment: dict[str, str]

    def client(self, name: str) -> Any:
        import boto3

        return boto3.client(
            name,
            region_name=REGION,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )

    @property
    def ecs(self) -> Any:
        """moto's own state, in which services and tasks become what they would on machines that run them."""
        from moto.ecs.models import ecs_backends

        return ecs_backends[ACCOUNT][REGION]


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(moto: str, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """An account with nothing in it."""
    with closing(HTTPConnection(moto.removeprefix("http://"))) as connection:
        connection.request("POST", "/moto-api/reset")
        assert connection.getresponse().status == 200
    environment = {
        "AWS_ENDPOINT_URL": moto,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Aws(environment)
