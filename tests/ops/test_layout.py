"""The arrows of docs/architecture.md: who may import whom, and that starting a task stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import alembic
import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = {"app", "ops", "scenarios", "tests", "benchmarks", "tasks", "wsgi"}
HEAVY = {"aiohttp", "alembic", "boto3", "flask", "jsonschema_rs", "psycopg", "pydantic", "sqlalchemy", "testcontainers"}


@pytest.mark.parametrize(
    ("place", "may_import"),
    [
        ("app", {"app"}),
        ("ops", {"ops"}),
        ("scenarios", {"app", "scenarios"}),
        ("alembic", {"app"}),
        ("wsgi.py", {"app"}),
        ("tasks.py", {"ops"}),
    ],
)
def test_knows_nothing_but(place: str, may_import: set[str]) -> None:
    imported = {name.partition(".")[0] for path in _modules(place) for name in _imports(path)}

    assert imported & FOLDERS <= may_import


@pytest.mark.parametrize(
    ("place", "may_import"),
    [
        ("app/config.py", set()),
        ("app/errors.py", set()),
        ("app/models.py", {"app.cursors", "app.database"}),
    ],
)
def test_a_leaf_of_the_app_knows_only(place: str, may_import: set[str]) -> None:
    imported = {name for name in _imports(ROOT / place) if name.startswith("app")}

    assert imported <= may_import


@pytest.mark.parametrize("service", ["idempotency", "orders", "products", "sales", "users"])
def test_a_service_knows_nothing_of_http(service: str) -> None:
    imported = _imports(ROOT / "app" / f"{service}.py")

    assert not {name for name in imported if name.startswith(("flask", "werkzeug", "app.api", "app.desk"))}


@pytest.mark.parametrize("folder", ["config", "terraform"])
def test_data_holds_no_code(folder: str) -> None:
    assert not list((ROOT / folder).rglob("*.py"))


def test_alembic_is_the_library() -> None:
    assert not list((ROOT / "alembic").rglob("__init__.py"))
    assert alembic.__version__


def test_loading_the_tasks_loads_nothing_heavy() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, tasks; print(*{name.partition('.')[0] for name in sys.modules})"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert not HEAVY & set(loaded.stdout.split())


def _modules(place: str) -> list[Path]:
    found = [ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py"))
    assert found, f"{place} has no modules: the test looks in the wrong place"
    return found


def _imports(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
