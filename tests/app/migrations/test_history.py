"""Migration history: one head, and upgrades and downgrades of each revision that leave no trace."""

import alembic
import pytest
from alembic.command import downgrade, upgrade
from sqlalchemy import text

from groundwork.testing.service import Database
from tests.app.migrations.command_line import ROOT, migrate
from tests.app.migrations.schema import catalog, connect
from tests.app.migrations.versions import HEAD, SCRIPTS


def test_the_folder_does_not_hide_the_library() -> None:
    assert "site-packages" in str(alembic.__file__)
    assert not (ROOT / "alembic" / "__init__.py").exists()


def test_there_is_one_head() -> None:
    assert len(SCRIPTS.get_heads()) == 1


def test_up_down_and_up_again_leaves_no_trace(empty_database: Database) -> None:
    nothing = catalog(empty_database)
    migrate(empty_database, upgrade, "head")
    up = catalog(empty_database)

    migrate(empty_database, downgrade, "base")
    down = catalog(empty_database)
    migrate(empty_database, upgrade, "head")

    assert ("type", "order_status", "e", "placed paid shipped cancelled") in up
    assert down == nothing
    assert catalog(empty_database) == up


@pytest.mark.scenario("orders", size=200)
@pytest.mark.parametrize("revision", [script.revision for script in SCRIPTS.walk_revisions()])
def test_a_revision_runs_on_a_busy_shop_of_the_revision_before_it(database: Database, revision: str) -> None:
    migrate(database, downgrade, revision)
    migrate(database, downgrade, "-1")

    migrate(database, upgrade, revision)
    migrate(database, upgrade, "head")

    with connect(database) as other:
        assert other.scalar(text("SELECT version_num FROM alembic_version")) == HEAD


@pytest.mark.parametrize("revision", [script.revision for script in SCRIPTS.walk_revisions()])
def test_a_downgrade_leaves_no_trace(empty_database: Database, revision: str) -> None:
    below = SCRIPTS.get_revision(revision).down_revision
    if below:
        migrate(empty_database, upgrade, str(below))
    before = catalog(empty_database)

    for _ in range(2):
        migrate(empty_database, upgrade, revision)
        migrate(empty_database, downgrade, "-1")

        assert catalog(empty_database) == before
    assert before == [] or below
