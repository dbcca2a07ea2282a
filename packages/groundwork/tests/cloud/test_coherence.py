"""Cross-field validation rules of the production configuration for AWS."""

from pathlib import Path

import pytest

from packages.groundwork.tests.conftest import problems_with


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        ("proxy/client_keepalive_s", 15, "proxy/client_keepalive_s: should be more than 15 (proxy/upstream_"),
        ("containers/web/health/timeout_s", 10, "containers/web/health/interval_s: should be more than "),
        ("containers/web/stop_grace_s", 121, "containers/web/stop_grace_s: should be at most 120 on Fargate, got 121"),
        ("containers/proxy/stop_grace_s", 121, "containers/proxy/stop_grace_s: should be at most 120 on Fargate"),
        ("containers/proxy/cpus", 15.5, "containers/web/cpus: should be at most 16 on Fargate together with "),
        ("containers/web/memory_mb", 122_200, "containers/web/memory_mb: should be at most 122880 on Fargate together"),
        ("containers/migrate/cpus", 17, "containers/migrate/cpus: should be at most 16 on Fargate, got 17"),
        ("cloud/autoscaling/replicas_max", 1, "cloud/autoscaling/replicas_max: should be at least containers/web/"),
        (
            "cloud/autoscaling/replicas_max",
            12,
            "cloud/autoscaling/replicas_max: containers/db/max_connections: should be at least 106 for 12 replicas, ",
        ),
        ("cloud/certificate", "arn:aws:acm:eu-central-1:1:certificate/1", "cloud: should have either hosted_zone, "),
        ("cloud/domain", "shop.example.org", "cloud/domain: should be in cloud/hosted_zone example.com, got "),
        ("cloud/database/storage_gb", 190, "cloud/database/storage_max_gb: should be at least 209, 10 % more"),
    ],
)
def test_a_value_that_breaks_a_chain_is_told_with_its_place(
    checkout: Path, place: str, value: object, problem: str
) -> None:
    found = problems_with(checkout, place, value)

    assert [each[: len(problem)] for each in found].count(problem) == 1


def test_too_few_connections_are_reported_with_the_reboot_that_more_of_them_need(checkout: Path) -> None:
    found = problems_with(checkout, "containers/db/max_connections", 20)

    assert any(each.endswith("got 20; RDS applies a new value after a reboot") for each in found)
