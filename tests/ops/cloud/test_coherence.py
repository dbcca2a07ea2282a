"""What must hold between the values of a production configuration that AWS reads, too."""

from pathlib import Path

import pytest

from tests.ops.conftest import problems_with


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        ("proxy/client_keepalive_s", 80, "environment/GUNICORN_KEEPALIVE: should be more than proxy/client_"),
        ("containers/web/health/timeout_s", 10, "containers/web/health/interval_s: should be more than "),
        ("containers/web/stop_grace_s", 121, "containers/web/stop_grace_s: should be at most 120 on Fargate, got 121"),
        ("containers/migrate/cpus", 17, "containers/migrate/cpus: should be at most 16 on Fargate, got 17"),
        ("cloud/autoscaling/replicas_max", 1, "cloud/autoscaling/replicas_max: should be at least containers/web/"),
        (
            "cloud/autoscaling/replicas_max",
            12,
            "cloud/autoscaling/replicas_max: containers/db/max_connections: should be at least 106 for 12 replicas, ",
        ),
        ("cloud/certificate", "arn:aws:acm:eu-central-1:1:certificate/1", "cloud: needs either hosted_zone, "),
        ("cloud/domain", "shop.example.org", "cloud/domain: should be in cloud/hosted_zone, example.com, got "),
        ("cloud/database/storage_gb", 190, "cloud/database/storage_max_gb: should be at least 209, a tenth more"),
    ],
)
def test_a_value_that_breaks_a_chain_is_told_with_its_place(
    checkout: Path, place: str, value: object, problem: str
) -> None:
    found = problems_with(checkout, place, value)

    assert [each[: len(problem)] for each in found].count(problem) == 1
