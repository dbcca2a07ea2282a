"""Names of images."""

import re

import pytest

from groundwork.production import images
from groundwork.tasks.cloud import release


@pytest.mark.parametrize("version", ["v1.2", "v1.2-3-g0a1b2c3", "0a1b2c3-dirty", "_", "x" * 128])
def test_a_version_that_an_image_may_have_is_its_name(version: str) -> None:
    assert images.named(version) == version


@pytest.mark.parametrize(
    "version",
    ["v1.2+build.5", "shop/v1.2", "été", "-v1", ".v1", "@", "v1,2;3!", "x" * 129, "a/" * 200, "\udcff", "v1\n"],
)
def test_any_other_version_gets_a_name_of_its_own(version: str) -> None:
    name = images.named(version)

    assert re.fullmatch("[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", name)
    assert images.named(name) == name
    assert images.named(version.replace("/", "+") + "_") != name


def test_aws_calls_an_image_as_this_machine_does() -> None:
    assert release._version("shop/v1.2+5") == images.version("shop/v1.2+5") == images.named("shop/v1.2+5")
