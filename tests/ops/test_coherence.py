"""What must hold between the values of a production configuration."""

import json
from pathlib import Path
from typing import Any

import pytest

from ops import coherence, configuration

Document = dict[str, Any]


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        ("environment/GUNICORN_GRACEFUL_TIMEOUT", 30, "proxy/out_of_service_s: should be more than "),
        ("environment/GUNICORN_GRACEFUL_TIMEOUT", 15, "containers/web/stop_grace_s: should be more than "),
        ("containers/proxy/stop_grace_s", 10, "containers/proxy/stop_grace_s: should be more than "),
        ("environment/GUNICORN_KEEPALIVE", 5, "environment/GUNICORN_KEEPALIVE: should be more than proxy/upstream_"),
        ("proxy/upstream_keepalive_s", 30, "proxy/out_of_service_s: should be more than "),
        ("environment/POSTGRES_POOL_TIMEOUT", 10, "proxy/upstream_read_s: should be more than "),
        ("containers/web/replicas", 12, "containers/db/max_connections: should be at least 106 for 12 replicas, "),
        ("environment/GUNICORN_WORKERS", 4, "containers/db/max_connections: should be at least 106 for 3 replicas, "),
        (
            "environment/POSTGRES_POOL_SIZE",
            16,
            "containers/db/max_connections: should be at least 106 for 3 replicas, ",
        ),
        ("proxy/client_keepalive_s", 80, "environment/GUNICORN_KEEPALIVE: should be more than proxy/client_"),
        ("containers/web/health/timeout_s", 10, "containers/web/health/interval_s: should be more than "),
        ("containers/web/stop_grace_s", 121, "containers/web/stop_grace_s: should be at most 120 on Fargate, got 121"),
        ("containers/migrate/cpus", 17, "containers/migrate/cpus: should be at most 16 on Fargate, got 17"),
        ("cloud/autoscaling/replicas_max", 2, "cloud/autoscaling/replicas_max: should be at least containers/web/"),
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
    path = checkout / "config" / "production.json"
    document = json.loads(path.read_text())
    *sections, name = place.split("/")
    section = document
    for each in sections:
        section = section[each]
    section[name] = value
    path.write_text(json.dumps(document))

    found = configuration.find_problems()

    assert [line[: len(problem)] for line in (each.partition(": ")[2] for each in found)].count(problem) == 1


def test_what_the_file_leaves_to_the_defaults_counts_too() -> None:
    document = json.loads(Path("config/production.json").read_text())
    del document["environment"]["GUNICORN_GRACEFUL_TIMEOUT"]
    document["containers"]["web"]["stop_grace_s"] = 10

    assert coherence.problems(document) == [
        "containers/web/stop_grace_s: should be more than environment/GUNICORN_GRACEFUL_TIMEOUT, which is 10, got 10"
    ]


def test_a_configuration_without_a_stack_has_nothing_to_hold() -> None:
    assert coherence.problems(json.loads(Path("config/development.json").read_text())) == []
