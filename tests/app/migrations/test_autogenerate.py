"""Comparison of the models with the database, and the revisions that Alembic writes."""

import re
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

from groundwork.testing.service import Database
from tests.app.migrations.command_line import run
from tests.app.migrations.schema import catalog, connect
from tests.app.migrations.versions import revisions


def test_the_models_and_the_migrations_agree(database: Database) -> None:
    checked = run(database, "check")

    assert checked.has_succeeded, checked.said


def test_a_value_of_an_enum_that_no_migration_makes_is_noticed(database: Database) -> None:
    with connect(database) as other:
        other.execute(text("ALTER TYPE order_status ADD VALUE 'lost'"))

    checked = run(database, "check")

    assert not checked.has_succeeded
    assert "change_enum_variants" in checked.said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("ALTER TABLE products DROP CONSTRAINT ck_products_has_sku", "add_constraint"),
        ("ALTER TABLE products ADD CONSTRAINT cheap CHECK (price_cents < 100)", "remove_constraint"),
        (
            "ALTER TABLE products DROP CONSTRAINT ck_products_stock_not_negative;"
            "ALTER TABLE products ADD CONSTRAINT ck_products_stock_not_negative CHECK (stock > 0)",
            "remove_constraint",
        ),
        (
            "DROP INDEX ix_orders_status_created_at_id;"
            "CREATE INDEX ix_orders_status_created_at_id ON orders (status, created_at, id) WHERE status = 'placed'",
            "remove_index",
        ),
        ("DROP INDEX uq_users_email; CREATE UNIQUE INDEX uq_users_email ON users (upper(email))", "remove_index"),
        ("DROP INDEX uq_users_email; CREATE INDEX uq_users_email ON users (lower(email))", "remove_index"),
        (
            "DROP INDEX ix_orders_created_at_id; CREATE INDEX ix_orders_created_at_id ON orders (created_at DESC, id)",
            "remove_index",
        ),
    ],
)
def test_a_rule_or_an_index_that_the_models_have_not_is_noticed(database: Database, change: str, said: str) -> None:
    with connect(database) as other:
        other.execute(text(change))
    before = catalog(database)

    checked = run(database, "check")

    assert not checked.has_succeeded
    assert said in checked.said
    assert catalog(database) == before


def test_a_revision_restores_a_rule_and_a_predicate(database: Database, checkout: Path) -> None:
    before, whole = revisions(checkout), catalog(database)
    with connect(database) as other:
        other.execute(
            text("""
            ALTER TABLE products DROP CONSTRAINT ck_products_has_sku;
            DROP INDEX ix_orders_status_created_at_id;
            CREATE INDEX ix_orders_status_created_at_id ON orders (status, created_at, id) WHERE status = 'placed'
            """)
        )
    broken = catalog(database)

    written = run(database, "revision", "--autogenerate", "--message", "rules", folder=checkout)
    applied = run(database, "upgrade", "head", folder=checkout)
    restored = catalog(database)
    undone = run(database, "downgrade", "-1", folder=checkout)

    assert written.has_succeeded, written.said
    [path] = revisions(checkout) - before
    assert """create_check_constraint(op.f("ck_products_has_sku"), "products", "sku <> ''")""" in path.read_text()
    assert applied.has_succeeded, applied.said
    assert restored == whole
    assert undone.has_succeeded, undone.said
    assert catalog(database) == broken


def test_a_revision_about_nothing_is_not_written(database: Database, checkout: Path) -> None:
    before = revisions(checkout)

    asked = run(database, "revision", "--autogenerate", "--message", "nothing", folder=checkout)

    assert asked.has_succeeded
    assert revisions(checkout) == before


def test_a_revision_about_something_is_written_as_ruff_likes_it(database: Database, checkout: Path) -> None:
    before = revisions(checkout)
    with connect(database) as other:
        other.execute(text("ALTER TABLE products DROP COLUMN name"))

    asked = run(database, "revision", "--autogenerate", "--message", "name the products again", folder=checkout)

    [written] = revisions(checkout) - before
    assert asked.has_succeeded
    assert re.fullmatch(r"\d{4}_\d\d_\d\d_[0-9a-f]{12}_name_the_products_again\.py", written.name)
    assert 'op.add_column("products", sa.Column("name"' in written.read_text()


@pytest.mark.parametrize(
    "message",
    [
        'Status "sent"',
        '"""',
        "C:\\new\\",
        "${1 + 1} {braces} %(percent)s <% %>",
        "two\nlines",
        "tab\tand\x1b[31mescape",
        "## a comment of the template",
        "--a-dash",
        "naïve 🎉",
        "\udcff, no UTF-8",
        f"{'as long as nobody reads it ' * 9}at all",
    ],
)
def test_a_message_is_the_title_of_its_revision(database: Database, checkout: Path, message: str) -> None:
    before = revisions(checkout)

    asked = run(database, "revision", f"--message={message}", folder=checkout)

    assert asked.has_succeeded, asked.said
    [written] = revisions(checkout) - before
    found = ScriptDirectory(checkout / "alembic").get_revision("head")
    assert Path(found.path) == written.resolve()
    # From Python 3.13 on, a docstring holds neither tabs nor lone surrogates.
    assert (found.module.__doc__ or "").strip() == message.encode("utf-8", "replace").decode().expandtabs()
