"""`inv db.compat`, which runs the previous release's tests on the new schema, on the embedded server."""

import re
from collections.abc import Iterator

import pytest
from invoke.context import Context

from groundwork.system.errors import Exit
from groundwork.tasks.db import migrations
from packages.groundwork.tests.conftest import Clone, end_what_runs, make_clone
from packages.groundwork.tests.migrations.test_rehearse import git, publish, write

Captured = pytest.CaptureFixture[str]
READS_PRODUCTS = """
from app.shop.products import list_products
def test_products_are_read(session): assert not list_products(session, 1)
"""


def test_a_release_works_where_there_is_a_column_that_it_does_not_know(shop: Clone) -> None:
    write(shop, "Nicknames for products", "ALTER TABLE products ADD COLUMN nickname text")

    shop.environment["PYTEST_ADDOPTS"] = "--collect-only"  # the user's own, for `inv test`

    tested = shop.inv("db.compat")
    del shop.environment["PYTEST_ADDOPTS"]

    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert re.search(r"testing v1 \(\w{7}\) on the schema with 5e7 Nicknames for products\n", tested.stderr)
    assert re.search(r" passed in .*\nv1 \(\w{7}\) works on the schema with 5e7 Nicknames", tested.stdout)


def test_a_release_breaks_where_a_column_is_gone_that_it_reads(shop: Clone, capfd: Captured) -> None:
    write(shop, "No names for products", "ALTER TABLE products DROP COLUMN name")

    broken = r"^HEAD \(\w{7}\) fails on the schema with 5e7 No names for products$"
    with pytest.raises(Exit, match=broken) as failed:
        migrations.compat(Context(), against="HEAD")

    assert failed.value.code == 1
    assert "FAILED tests/app/api/test_products.py" in capfd.readouterr().out


def test_a_migration_that_needs_the_new_app_is_one_line(shop: Clone) -> None:
    migration = write(shop, "Colours", "SELECT 1")
    migration.write_text(migration.read_text().replace("from alembic", "from app.colours import RED\nfrom alembic"))
    (shop.folder / "app" / "colours.py").write_text("RED = 1\n")

    refused = shop.inv("db.compat")  # in a process of its own, whose app is the clone's

    assert refused.returncode == 1
    assert re.search(
        r"^the migrations cannot be imported with the code of v1 \(\w{7}\): "
        r"ModuleNotFoundError: No module named 'app.colours'; remove their imports of the app$",
        refused.stderr,
        re.MULTILINE,
    )


def test_without_new_migrations_it_passes_and_without_a_release_it_fails(shop: Clone, capfd: Captured) -> None:
    migrations.compat(Context())
    without_migrations = capfd.readouterr().out
    with pytest.raises(Exit, match=r"^there is no commit 'v2' in this repository$"):
        migrations.compat(Context(), against="v2")
    git(shop, "tag", "--delete", "v1")
    with pytest.raises(Exit, match=r"^nothing was compared: there is neither a tag nor origin/main: ") as refused:
        migrations.compat(Context())

    assert refused.value.code == 1
    assert re.fullmatch(r"nothing to compare: there are no migrations since v1 \(\w{7}\)\n", without_migrations)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Return a clone that is tagged as a release and has only one test module."""
    clone = make_clone(tmp_path_factory.mktemp("released"))
    for module in (clone.folder / "tests" / "app" / "api").rglob("test_*.py"):
        module.unlink()
    (clone.folder / "tests" / "app" / "api" / "test_products.py").write_text(READS_PRODUCTS)
    publish(clone, "v1")
    return clone


@pytest.fixture
def shop(released: Clone, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clone]:
    """Yield the released clone. Reset it to the release afterwards."""
    released.enter(monkeypatch)
    yield released
    assert not (released.folder / ".local" / "released").exists()
    git(released, "reset", "--quiet", "--hard")
    git(released, "clean", "--quiet", "-d", "--force")
    git(released, "tag", "--force", "v1")
    end_what_runs(released)
