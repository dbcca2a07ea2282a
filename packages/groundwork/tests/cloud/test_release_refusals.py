"""Deploys and destruction that are refused before anything changes."""

from pathlib import Path

import pytest
from invoke.context import Context

from groundwork.cloud.context import Stage
from groundwork.production import images
from groundwork.system.errors import Exit
from groundwork.tasks.cloud import release
from packages.groundwork.tests import path
from packages.groundwork.tests.cloud.conftest import NAME, Aws, give_image


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"tag": "v1 or so"}, "--tag: should be letters, digits, dots, dashes and underscores, got 'v1 or so'"),
        ({"tag": "latest"}, "--tag: latest does not identify a version: choose another tag"),
        ({"tag": "v1", "url": "shop.example.com"}, "--url: should begin with https:// or http://"),
        ({"tag": "proxy-v1"}, "--tag: proxy-v1 is too long, or begins with proxy-: choose another tag"),
        ({"tag": "v" * 123}, f"--tag: {'v' * 123} is too long, or begins with proxy-: choose another tag"),
        ({"tag": "v3"}, "the registry has no v3, and no image can be built here: docker is not installed"),
        (
            {"tag": "v1-dirty"},
            "the registry already has v1-dirty, and its tags cannot be overwritten: commit the changes",
        ),
    ],
)
def test_what_cannot_be_released_is_refused_first(
    standing: Stage, aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: dict[str, str], complaint: str
) -> None:
    monkeypatch.setenv("PATH", path.make(tmp_path / "path"))
    give_image(aws, "v1-dirty")

    with pytest.raises(Exit) as refused:
        release.deploy(Context(), **options)

    assert str(refused.value).startswith(complaint)


def test_an_archive_with_another_image_than_the_registry_s_is_not_released(
    standing: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = {name: (f"{NAME}-{name}:v1", "sha256:another") for name in ("web", "proxy")}
    monkeypatch.setattr(images, "load", lambda *_: loaded)

    with pytest.raises(Exit) as refused:
        release.deploy(Context(), tag="v1", archive="image.tar")

    assert str(refused.value).startswith("image.tar: the registry already has another image as v1, ")


@pytest.mark.parametrize("meant", ["", "another"])
def test_what_is_not_named_is_not_destroyed(standing: Stage, meant: str) -> None:
    with pytest.raises(Exit) as refused:
        release.destroy(Context(), yes_i_mean=meant)

    assert str(refused.value) == f"nothing was destroyed: confirm with --yes-i-mean {NAME}"
