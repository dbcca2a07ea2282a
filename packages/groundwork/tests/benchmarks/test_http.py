"""Variants of `inv bench.http`: they do the same work, and a removed layer is gone."""

import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from groundwork.system import paths
from groundwork.testing.service import Database
from packages.groundwork.benchmarks.http import variants
from tests.accounts import clerk

PAGE = "/api/orders?limit=20"

Serve = Callable[[str], Flask]


@pytest.mark.scenario("orders", size=100)
def test_a_page_is_the_same_whoever_reads_it(served: Serve, database: Database) -> None:
    token = staff(database)

    ours = database.app().test_client().get(PAGE, headers=token)
    theirs = served("plain").test_client().get(PAGE)

    assert len(ours.get_json()["orders"]) == 20
    assert theirs.get_json() == ours.get_json()


@pytest.mark.parametrize(
    ("module", "answered"),
    [
        ("wsgi", "401 422 mine"),
        ("without_sign_in", "200 422 mine"),
        ("without_validation", "401 200 mine"),
        ("without_request_id", "401 422 groundwork"),
    ],
)
def test_a_layer_that_is_taken_away_is_gone_and_no_other(database: Database, module: str, answered: str) -> None:
    """Run each variant in its own process, because its changes cannot be undone."""
    script = f"""
import sys
from importlib import import_module
from sqlalchemy import text
from groundwork.flask.database import db

app = import_module(sys.argv[1]).app
token = {staff(database)}

def get(headers, more=""):
    return app.test_client().get({PAGE!r} + more, headers=headers)

def called():
    with app.test_request_context("/healthz", headers={{"X-Request-ID": "mine"}}):
        app.preprocess_request()
        return db.session.scalar(text("SHOW application_name"))

print(get({{}}).status_code, get(token, "&colour=red").status_code, called())
"""

    assert told(database, script, module) == answered


def test_every_contender_has_a_name_of_its_own_and_one_replica() -> None:
    (every,) = variants.TOGETHER

    assert len({each.name for each in every}) == len(every)
    assert {each.sizes["WEB_REPLICAS"] for each in every} == {"1"}


def staff(database: Database) -> dict[str, str]:
    with database.session() as session:
        token = clerk(session)
        session.commit()
    return token


def told(database: Database, script: str, module: str) -> str:
    environment = {**database.environment, "PYTHONPATH": f"{paths.ROOT}:{variants.HERE}", "FLASK_CONFIG": "testing"}
    command = [sys.executable, "-c", script, module]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def served(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Yield a function that serves a contender, by its module, on the test's database."""
    for name, value in database.environment.items():
        monkeypatch.setenv(name, value)
    engines = []

    def serve(module: str) -> Flask:
        contender = runpy.run_path(str(variants.HERE / f"{module}.py"))
        engines.append(contender["engine"])
        app: Flask = contender["app"]
        return app

    yield serve
    for engine in engines:
        engine.dispose()
