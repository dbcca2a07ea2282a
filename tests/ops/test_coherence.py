"""What must hold between the values of a production configuration."""

import json
from pathlib import Path

import pytest

from ops import coherence
from tests.ops.conftest import problems_with


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
        ("environment/GUNICORN_WORKERS", 6, "containers/db/max_connections: should be at least 106 for 2 replicas, "),
        (
            "environment/POSTGRES_POOL_SIZE",
            24,
            "containers/db/max_connections: should be at least 106 for 2 replicas, ",
        ),
    ],
)
def test_a_value_that_breaks_a_chain_is_told_with_its_place(
    checkout: Path, place: str, value: object, problem: str
) -> None:
    found = problems_with(checkout, place, value)

    assert [each[: len(problem)] for each in found].count(problem) == 1


def test_what_the_file_leaves_to_the_defaults_counts_too() -> None:
    document = json.loads(Path("config/production.json").read_text())
    del document["environment"]["GUNICORN_GRACEFUL_TIMEOUT"]
    document["containers"]["web"]["stop_grace_s"] = 10

    assert coherence.problems(document) == [
        "containers/web/stop_grace_s: should be more than environment/GUNICORN_GRACEFUL_TIMEOUT, which is 10, got 10"
    ]


def test_a_configuration_without_a_stack_has_nothing_to_hold() -> None:
    assert coherence.problems(json.loads(Path("config/development.json").read_text())) == []
