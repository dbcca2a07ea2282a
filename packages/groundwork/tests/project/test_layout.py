"""Import rules of docs/architecture.md, and the limits on imports when a task starts."""

import ast
import subprocess
import sys
from pathlib import Path

import alembic
import pytest

from groundwork.system import paths

ROOT = paths.ROOT
FOLDERS = {"app", "groundwork", "scenarios", "tests", "packages", "tasks", "wsgi"}
RUNTIME = {
    "config": set(),
    "database": set(),
    "errors": set(),
    "http": {"database", "errors"},
    "observability": {"database"},
    "security": {"database", "errors"},
    "testing": {"http", "security"},
    "db_sessions": {"database", "observability"},
}
"""Parts of groundwork.flask, and what else of it each may import. It imports nothing else of the tools."""
LAYERS = [
    "tasks",
    "parity",
    "cloud",
    "testing",
    "production",
    "backups",
    "migrations",
    "scenarios",
    "postgresql",
    "configuration",
    "system",
    "flask",
]
"""Packages of the tools. Each may import only packages below it."""
PACKAGES = {
    "shop": {"accounts"},
    "accounts": set(),
}
"""Packages of the app, and what else of it each may import."""
WEB = ("flask", "werkzeug", "app.accounts.api", "app.accounts.backoffice", "app.shop.api", "app.shop.backoffice")
"""Prefixes of the modules of HTTP, which no service imports."""
TOOLS = "packages/groundwork/src/groundwork"
IN_THE_IMAGE = {"alembic", "alembic_postgresql_enum", "groundwork", "psycopg", "sqlalchemy"}
HEAVY = {"aiohttp", "alembic", "boto3", "flask", "jsonschema_rs", "psycopg", "pydantic", "sqlalchemy", "testcontainers"}


@pytest.mark.parametrize(
    ("place", "may_import"),
    [
        ("app", {"app", "groundwork"}),
        ("packages/groundwork/src", {"groundwork"}),
        ("scenarios", {"app", "groundwork", "scenarios"}),
        ("scenarios/traffic.py", {"groundwork"}),
        ("alembic", {"app", "groundwork"}),
        ("wsgi.py", {"app"}),
        ("tasks.py", {"groundwork"}),
    ],
)
def test_knows_nothing_but(place: str, may_import: set[str]) -> None:
    imported = {name.partition(".")[0] for path in _modules(place) for name in _imports(path)}

    assert imported & FOLDERS <= may_import


@pytest.mark.parametrize(("package", "may_import"), PACKAGES.items())
def test_a_package_of_the_app_imports_only(package: str, may_import: set[str]) -> None:
    imported = {name for path in _modules(f"app/{package}") for name in _imports(path) if name.startswith("app")}

    assert {name.removeprefix("app.").split(".")[0] for name in imported} <= may_import | {package}


@pytest.mark.parametrize(
    ("place", "may_import"),
    [
        ("app/config.py", set()),
        ("app/accounts/models.py", set()),
        ("app/shop/models.py", {"app.accounts.models"}),
    ],
)
def test_a_leaf_of_the_app_imports_only(place: str, may_import: set[str]) -> None:
    imported = {name for name in _imports(ROOT / place) if name.startswith("app")}

    assert imported <= may_import


def test_the_app_imports_only_the_runtime_of_the_tools() -> None:
    imported = {part for path in _modules("app") for part in _parts_of_the_tools(path)}

    assert imported <= {"flask"}


@pytest.mark.parametrize(("part", "may_import"), RUNTIME.items())
def test_a_part_of_the_runtime_imports_only(part: str, may_import: set[str]) -> None:
    place = f"{TOOLS}/flask/{part}"
    paths = _modules(place if (ROOT / place).is_dir() else f"{place}.py")
    imported = {name.partition(".")[2] for path in paths for name in _names(path) if name.startswith("groundwork.")}

    assert {name.split(".")[1] for name in imported if name.startswith("flask.")} <= may_import | {part}
    assert all(name.startswith("flask.") for name in imported)


def test_each_part_of_the_runtime_has_its_arrows() -> None:
    parts = {path.stem for path in (ROOT / TOOLS / "flask").iterdir() if not path.name.startswith("_")}

    assert parts == set(RUNTIME)


def test_the_app_works_without_the_shop_but_for_two_modules() -> None:
    others = [path for path in _modules("app") if not path.is_relative_to(ROOT / "app/shop")]

    importing = {path.name for path in others if any(name.startswith("app.shop") for name in _imports(path))}

    assert importing == {"blueprints.py", "models.py"}


@pytest.mark.parametrize("package", ["accounts", "shop"])
def test_a_service_imports_nothing_of_http(package: str) -> None:
    services = [path for path in (ROOT / "app" / package).glob("[!_]*.py") if path.name != "field_types.py"]
    assert services

    imported = {name for path in services for name in _imports(path)}

    assert not {name for name in imported if name.startswith(WEB)}


@pytest.mark.parametrize("place", range(len(LAYERS)))
def test_a_package_of_the_tools_imports_only_packages_below_it(place: int) -> None:
    imported = {part for path in _modules(f"{TOOLS}/{LAYERS[place]}") for part in _parts_of_the_tools(path)}

    assert imported <= {*LAYERS[place:], "contract", "project_commands"}


def test_only_tasks_know_invoke_but_for_its_error() -> None:
    capabilities = [path for path in _modules(TOOLS) if not path.is_relative_to(ROOT / TOOLS / "tasks")]

    knowing = [path.name for path in capabilities if any(name.startswith("invoke") for name in _imports(path))]

    assert knowing == ["errors.py"]


def test_the_contract_imports_nothing_of_the_tools() -> None:
    assert _parts_of_the_tools(ROOT / TOOLS / "contract.py") == set()


@pytest.mark.parametrize("module", ["runner", "locks", "roles", "schema_comparison"])
def test_the_migration_runner_imports_only_what_the_image_has(module: str) -> None:
    imported = _imports(ROOT / TOOLS / "migrations" / f"{module}.py")

    assert {name for name in imported if name.startswith("groundwork")} <= {"groundwork.migrations"}
    assert {name.partition(".")[0] for name in imported} - sys.stdlib_module_names <= IN_THE_IMAGE


@pytest.mark.parametrize("place", ["app", TOOLS])
def test_no_folder_has_more_than_12_modules(place: str) -> None:
    folders = {path.parent for path in _modules(place)}

    assert not [folder for folder in folders if len([*folder.glob("[!_]*.py")]) > 12]


def test_each_package_of_the_app_has_its_arrows() -> None:
    assert {path.parent.name for path in (ROOT / "app").glob("*/__init__.py")} == set(PACKAGES)


def test_each_package_of_the_tools_has_a_layer() -> None:
    assert {path.parent.name for path in (ROOT / TOOLS).glob("*/__init__.py")} == set(LAYERS)


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


def _parts_of_the_tools(path: Path) -> set[str]:
    """Return the packages and modules in `groundwork` that the module imports from."""
    return {name.split(".")[1] for name in _names(path) if name.startswith("groundwork.")}


def _names(path: Path) -> list[str]:
    """Return the dotted names of all that the module imports."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return names + [
        f"{node.module}.{alias.name}" for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names
    ]
