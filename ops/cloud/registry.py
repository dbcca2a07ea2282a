"""ECR: where the images of the service are kept."""

import base64
import subprocess
from dataclasses import dataclass
from typing import Any

from invoke.exceptions import Exit

from ops import shell


def login_command(user: str, endpoint: str) -> list[str]:
    """With the password on its standard input, where nobody else on the machine reads it."""
    return ["docker", "login", "--username", user, "--password-stdin", endpoint]


@dataclass(frozen=True)
class Registry:
    ecr: Any
    url: str
    """Of the repository."""

    @property
    def repository(self) -> str:
        return self.url.partition("/")[2]

    def reference(self, version: str) -> str:
        return f"{self.url}:{version}"

    def digest(self, version: str) -> str | None:
        """Of the image that is kept under that name."""
        try:
            found = self.ecr.describe_images(repositoryName=self.repository, imageIds=[{"imageTag": version}])
        except self.ecr.exceptions.ImageNotFoundException:
            return None
        return str(found["imageDetails"][0]["imageDigest"])

    def require(self, version: str) -> None:
        """Raises Exit where no image is kept under that name."""
        if self.digest(version) is None:
            kept = ", ".join(self.versions()) or "none"
            raise Exit(f"there is no image {version!r} in {self.url}; kept are: {kept}", code=1)

    def versions(self) -> list[str]:
        """The newest first."""
        pages = self.ecr.get_paginator("describe_images").paginate(repositoryName=self.repository)
        images = [image for page in pages for image in page["imageDetails"]]
        images.sort(key=lambda image: image["imagePushedAt"], reverse=True)
        return [tag for image in images for tag in image.get("imageTags", [])]

    def push(self, local: str, version: str) -> None:
        """Raises Exit with what docker says."""
        (authorization,) = self.ecr.get_authorization_token()["authorizationData"]
        user, _, password = base64.b64decode(authorization["authorizationToken"]).decode().partition(":")
        host = self.url.partition("/")[0]
        shell.read(login_command(user, host), stdin=password)
        try:
            shell.read(["docker", "tag", local, self.reference(version)])
            shell.read(["docker", "push", "--quiet", self.reference(version)])
        finally:
            with shell.uninterrupted():  # neither the password nor a second name stays on this machine
                subprocess.run(["docker", "rmi", self.reference(version)], capture_output=True, check=False)
                subprocess.run(["docker", "logout", host], capture_output=True, check=False)
