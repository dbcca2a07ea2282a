"""What Prometheus is told: of one process here, of all that a replica has in test_observability.py of the tools."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client import REGISTRY, generate_latest
from sqlalchemy import text

from groundwork.flask.database import db
from groundwork.testing.service import Database, wait_until

Change = Callable[..., float]


def test_requests_are_counted_by_the_template_of_their_route(client: FlaskClient, change: Change) -> None:
    for address in ("/api/products/1", "/api/products/2", "/api/products"):
        client.get(address)

    by_id = {"route": "/api/products/<id:product_id>"}
    assert change("http_requests_total", method="GET", status="404", **by_id) == 2
    assert change("http_requests_total", method="GET", status="200", route="/api/products") == 1
    assert change("http_request_duration_seconds_count", **by_id) == 2
    assert b"/api/products/1" not in generate_latest()


def test_what_clients_make_up_has_no_name_of_its_own(client: FlaskClient, change: Change) -> None:
    client.get("/api/orders/of/mine")
    client.open("/api/products", method="BREW")

    assert change("http_requests_total", method="GET", status="404", route="unknown") == 1
    assert change("http_requests_total", method="unknown", status="405", route="unknown") == 1
    assert b"BREW" not in generate_latest()


def test_an_unforeseen_exception_is_counted_as_what_it_became(app: Flask, change: Change) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False  # as production has it
    app.add_url_rule("/broken", view_func=lambda: 1 / 0)  # type: ignore[arg-type]

    app.test_client().get("/broken")

    assert change("http_requests_total", method="GET", status="500", route="/broken") == 1
    assert now("http_requests_in_work") == 0


def test_the_pool_tells_who_has_a_connection_and_who_waits(app: Flask, client: FlaskClient, change: Change) -> None:
    with app.app_context(), ThreadPoolExecutor() as pool, db.engine.connect():
        asked = pool.submit(client.get, "/api/products")
        wait_until(lambda: now("database_connections_awaited") == 1)
        during = [now(f"database_connections_{what}") for what in ("in_use", "limit")]
        assert now("http_requests_in_work") == 1
        assert asked.result().status_code == 503

    assert during == [1, 1]
    assert change("database_connections_refused_total") == 1
    assert [now(f"database_connections_{what}") for what in ("in_use", "awaited")] == [0, 0]


def test_a_connection_that_was_lost_is_in_use_no_more(app: Flask, client: FlaskClient, database: Database) -> None:
    end_all = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                   " AND pid <> pg_backend_pid()")  # fmt: skip
    with app.app_context(), db.engine.connect() as connection, database.session() as other:
        other.execute(end_all)
        connection.invalidate()

    assert client.get("/api/products").status_code == 200
    assert now("database_connections_in_use") == 0


def test_packages_for_metrics_and_tracing_are_imported_only_if_enabled(database: Database) -> None:
    script = "import sys, app.factory; app.factory.create_app('testing'); print(*sys.modules)"

    loaded = subprocess.check_output(
        [sys.executable, "-c", script], env={**os.environ, **database.environment, "METRICS_PORT": "0"}, text=True
    ).split()

    assert "app.factory" in loaded
    assert not {"prometheus_client", "opentelemetry"} & set(loaded)


def now(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


@pytest.fixture
def app(database: Database) -> Flask:
    database.environment |= {"METRICS_PORT": "9000", "POSTGRES_POOL_SIZE": "1", "POSTGRES_POOL_TIMEOUT": "1"}
    return database.app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def change(app: Flask) -> Change:
    """Return a function for the growth of a metric since the test began; earlier tests have counted too."""
    before = {
        (each.name, *sorted(each.labels.items())): each.value
        for family in REGISTRY.collect()
        for each in family.samples
    }
    return lambda name, **labels: now(name, **labels) - before.get((name, *sorted(labels.items())), 0)
