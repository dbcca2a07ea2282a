"""ECR registry for the images of the service."""

import base64
import json
import subprocess
from dataclasses import dataclass
from typing import Any

from groundwork.system import shell
from groundwork.system.errors import Exit

MANIFESTS = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
]


PROXY = "proxy-"
"""Prefix of the tags of nginx's images, as in terraform/registry.tf: the one of v1.2 is proxy-v1.2."""


def login_command(user: str, endpoint: str) -> list[str]:
    """Return a login command that reads the password from stdin, which other users cannot see."""
    return ["docker", "login", "--username", user, "--password-stdin", endpoint]


@dataclass(frozen=True)
class Registry:
    ecr: Any
    url: str
    """URL of the repository."""

    @property
    def repository(self) -> str:
        return self.url.partition("/")[2]

    def reference(self, version: str) -> str:
        return f"{self.url}:{version}"

    def digest(self, version: str) -> str | None:
        """Return the digest of the image with this tag, or None."""
        try:
            found = self.ecr.describe_images(repositoryName=self.repository, imageIds=[{"imageTag": version}])
        except self.ecr.exceptions.ImageNotFoundException:
            return None
        return str(found["imageDetails"][0]["imageDigest"])

    def holds(self, version: str, image: str) -> bool:
        """Return whether the version has this image ID, which engines take from the manifest or the configuration."""
        asked = {
            "repositoryName": self.repository,
            "imageIds": [{"imageTag": version}],
            "acceptedMediaTypes": MANIFESTS,
        }
        (found,) = self.ecr.batch_get_image(**asked)["images"]
        configuration = json.loads(found["imageManifest"]).get("config", {})
        return image in (found["imageId"]["imageDigest"], configuration.get("digest"))

    def require(self, version: str) -> None:
        """Raise Exit if the image of the service or of its proxy is missing."""
        for tag in (version, f"{PROXY}{version}"):
            if self.digest(tag) is None:
                kept = ", ".join(self.versions()) or "none"
                raise Exit(f"there is no image {tag!r} in {self.url}; kept are: {kept}", code=1)

    def versions(self) -> list[str]:
        """Return the versions of the service, newest image first."""
        pages = self.ecr.get_paginator("describe_images").paginate(repositoryName=self.repository)
        images = [image for page in pages for image in page["imageDetails"]]
        images.sort(key=lambda image: image["imagePushedAt"], reverse=True)
        tags = [tag for image in images for tag in image.get("imageTags", [])]
        return [tag for tag in tags if not tag.startswith(PROXY)]

    def push(self, local: str, version: str) -> None:
        """Push the local image. Raise Exit with the output of docker if it fails."""
        (authorization,) = self.ecr.get_authorization_token()["authorizationData"]
        user, _, password = base64.b64decode(authorization["authorizationToken"]).decode().partition(":")
        host = self.url.partition("/")[0]
        shell.read(login_command(user, host), stdin=password)
        try:
            shell.read(["docker", "tag", local, self.reference(version)])
            shell.read(["docker", "push", "--quiet", self.reference(version)])
        finally:
            with shell.uninterrupted():  # leave neither the password nor the extra tag on this machine
                subprocess.run(["docker", "rmi", self.reference(version)], capture_output=True, check=False)
                subprocess.run(["docker", "logout", host], capture_output=True, check=False)
