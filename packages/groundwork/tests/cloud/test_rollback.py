"""`inv cloud.rollback`: choice of the previous image, and images that the registry lacks."""

import pytest
from invoke.context import Context

from groundwork.cloud.context import Stage
from groundwork.system.errors import Exit
from groundwork.tasks.cloud import release
from packages.groundwork.tests.aws import push
from packages.groundwork.tests.cloud.conftest import NAME, Aws, nothing_new_gets_healthy
from packages.groundwork.tests.cloud.stage import define


def test_going_back_leads_to_the_last_other_image_that_has_served(
    standing: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    release_to(standing, "v2")
    assert standing.service.version_before() == "v1"
    with monkeypatch.context() as patched:
        nothing_new_gets_healthy(patched)
        release_to(standing, "v3")
    assert standing.service.version_before() == "v1"
    release_to(standing, "v4")
    release_to(standing, "v4")

    assert standing.service.version_before() == "v2"


def test_where_nothing_else_has_served_there_is_nothing_to_go_back_to(standing: Stage) -> None:
    with pytest.raises(Exit) as refused:
        release.rollback(Context())

    assert str(refused.value) == (
        "nothing else than v1 has served lately: inv cloud.rollback --to takes any version that the registry has"
    )


def test_a_version_whose_proxy_was_not_pushed_is_not_rolled_back_to(standing: Stage, aws: Aws) -> None:
    push(aws.environment, NAME, "v0")

    with pytest.raises(Exit) as refused:
        release.rollback(Context(), to="v0")

    assert str(refused.value).startswith("there is no image 'proxy-v0' in ")


def test_nobody_goes_back_to_an_image_that_the_registry_has_not(standing: Stage) -> None:
    with pytest.raises(Exit) as refused:
        release.rollback(Context(), to="v0")

    assert str(refused.value).startswith("there is no image 'v0' in ")
    assert str(refused.value).endswith("; kept are: v1")


def release_to(standing: Stage, version: str) -> None:
    ecs = standing.client("ecs")
    definition = define(ecs, "web", standing.registry.reference(version))
    ecs.update_service(cluster=NAME, service=f"{NAME}-web", taskDefinition=definition)
