"""`inv db.compat`: whether the release before bears the new schema, by its own tests, on the embedded server."""

import re

from tests.ops.conftest import Clone
from tests.ops.test_rehearse import release, write


def test_a_release_bears_a_column_that_it_does_not_know(clone: Clone) -> None:
    release_with_few_tests(clone)
    write(clone, "Nicknames for products", "ALTER TABLE products ADD COLUMN nickname text", "")

    tested = clone.inv("db.compat")

    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert re.search(r"testing v1 \(\w{7}\) on the schema with 5e7 Nicknames for products\n", tested.stderr)
    assert re.search(r" passed in .*\nv1 \(\w{7}\) works on the schema with 5e7 Nicknames", tested.stdout)
    assert is_tidy(clone)


def test_a_release_breaks_where_a_column_is_gone_that_it_reads(clone: Clone) -> None:
    release_with_few_tests(clone)
    write(clone, "No names for products", "ALTER TABLE products DROP COLUMN name", "")

    tested = clone.inv("db.compat", "--against", "HEAD")

    assert tested.returncode == 1
    assert "FAILED tests/app/api/test_products.py" in tested.stdout
    assert re.search(r"\nHEAD \(\w{7}\) breaks on the schema with 5e7 No names for products\n$", tested.stderr)
    assert is_tidy(clone)


def test_a_migration_that_needs_the_new_app_is_one_line(clone: Clone) -> None:
    release(clone)
    write(clone, "Colours", "SELECT 1", "")
    migration = clone.folder / "alembic" / "versions" / "5e7.py"
    migration.write_text(migration.read_text().replace("from alembic", "from app.colours import RED\nfrom alembic"))
    (clone.folder / "app" / "colours.py").write_text("RED = 1\n")

    tested = clone.inv("db.compat")

    assert tested.returncode == 1
    assert re.search(
        r"\nthe migrations cannot be loaded beside the code of v1 \(\w{7}\): "
        r"ModuleNotFoundError: No module named 'app.colours'; let them import nothing of the app\n$",
        tested.stderr,
    )
    assert is_tidy(clone)


def test_where_there_is_nothing_to_compare_it_says_so(clone: Clone) -> None:
    without_git = clone.inv("db.compat")
    release(clone)
    without_migrations = clone.inv("db.compat")
    unknown = clone.inv("db.compat", "--against", "v2")

    assert without_git.returncode == without_migrations.returncode == 0
    assert without_git.stdout == "nothing to compare with: there is neither a tag nor origin/main\n"
    assert re.fullmatch(r"nothing to compare: there are no migrations since v1 \(\w{7}\)\n", without_migrations.stdout)
    assert (unknown.returncode, unknown.stderr) == (1, "git knows no commit 'v2'\n")


def release_with_few_tests(clone: Clone) -> None:
    for module in (clone.folder / "tests" / "app" / "api").glob("test_*.py"):
        if module.name != "test_products.py":
            module.unlink()
    release(clone)


def is_tidy(clone: Clone) -> bool:
    return clone.processes() == [] and not (clone.folder / ".local" / "released").exists()
