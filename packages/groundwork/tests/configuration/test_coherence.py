"""Cross-field validation rules of the production configuration."""

import json
from pathlib import Path

import pytest

from groundwork.configuration import rules
from packages.groundwork.tests.conftest import problems_with


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        ("environment/GUNICORN_GRACEFUL_TIMEOUT", 30, "proxy/out_of_service_s: should be more than "),
        ("environment/GUNICORN_GRACEFUL_TIMEOUT", 15, "containers/web/stop_grace_s: should be more than "),
        ("containers/proxy/stop_grace_s", 10, "containers/proxy/stop_grace_s: should be more than "),
        ("environment/GUNICORN_KEEPALIVE", 5, "environment/GUNICORN_KEEPALIVE: should be more than 5 (proxy/upstream_"),
        ("proxy/upstream_keepalive_s", 30, "proxy/out_of_service_s: should be more than "),
        ("environment/POSTGRES_POOL_TIMEOUT", 10, "proxy/upstream_read_s: should be more than "),
        ("environment/POSTGRES_STATEMENT_TIMEOUT", 10, "proxy/upstream_read_s: should be more than "),
        (
            "proxy/connections",
            16_384,
            "containers/proxy/memory_mb: should be at least 1232 for 2 processes ",
        ),
        ("containers/proxy/memory_mb", 128, "containers/proxy/memory_mb: should be at least 368 for 2 processes "),
        ("containers/web/replicas", 12, "containers/db/max_connections: should be at least 106 for 12 replicas, "),
        ("environment/GUNICORN_WORKERS", 6, "containers/db/max_connections: should be at least 106 for 2 replicas, "),
        ("containers/db/max_connections", 200, "containers/db/memory_mb: should be at least 550 for 200 connections, "),
        (
            "containers/db/max_connections",
            262_144,
            "containers/db/max_connections: should be at most 262143, got 262144",
        ),
        ("proxy/requests_per_place", 65_536, "proxy/requests_per_place: should be at most 65535, got 65536"),
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

    assert rules.problems(document) == [
        "containers/web/stop_grace_s: should be more than 10 (environment/GUNICORN_GRACEFUL_TIMEOUT), got 10"
    ]


def test_connections_with_tls_need_more_memory() -> None:
    document = json.loads(Path("config/production.json").read_text())
    document["secrets"] += ["TLS_CERTIFICATE", "TLS_KEY"]
    document["proxy"]["tls_port"] = 8443
    document["containers"]["proxy"]["memory_mb"] = 655

    assert rules.problems(document) == [
        "containers/proxy/memory_mb: should be at least 656 for 2 processes with 4096 connections of 72 kB each, "
        "plus 64 MB of temporary files, got 655"
    ]


def test_a_configuration_without_a_stack_has_nothing_to_hold() -> None:
    assert rules.problems(json.loads(Path("config/development.json").read_text())) == []
