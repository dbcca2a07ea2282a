"""Migrations as in production: by the command line, in a separate process if it matters."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import alembic
import pytest
from alembic.command import downgrade, upgrade
from alembic.config import CommandLine, Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, text

from groundwork.migrations import locks, runner
from groundwork.testing.service import Database

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPTS = ScriptDirectory.from_config(Config(ROOT / "alembic.ini"))
(FIRST,) = SCRIPTS.get_bases()
(HEAD,) = SCRIPTS.get_heads()
INDEX = "CREATE INDEX ix_orders_status ON public.orders USING btree (status)"
SLEEPING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
LAST_IN_A_TRANSACTION = "a1f05c92e6d8"
"""Last revision that can run in another transaction: the next one builds an index concurrently."""
PATIENCE = 60  # seconds; what takes longer hangs

CATALOG = """
    SELECT 'relation', relname::text, relkind::text, '' FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'column', attrelid::regclass::text, attname::text,
        concat_ws(' ', attnum, format_type(atttypid, atttypmod), attnotnull, attidentity, pg_get_expr(adbin, adrelid))
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'index', tablename::text, indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT 'type', typname::text, typtype::text, array_to_string(array(
        SELECT enumlabel FROM pg_enum WHERE enumtypid = pg_type.oid ORDER BY enumsortorder
    ), ' ')
    FROM pg_type WHERE typnamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'function', proname::text, '', pg_get_functiondef(oid)
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    ORDER BY 1, 2, 3, 4
"""


def test_the_folder_does_not_hide_the_library() -> None:
    assert "site-packages" in str(alembic.__file__)
    assert not (ROOT / "alembic" / "__init__.py").exists()


def test_there_is_one_head() -> None:
    assert len(SCRIPTS.get_heads()) == 1


def test_the_models_and_the_migrations_agree(database: Database) -> None:
    checked = run(database, "check")

    assert checked.has_succeeded, checked.said


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


def test_from_any_folder_each_step_says_what_it_did_and_nothing_else(empty_database: Database, tmp_path: Path) -> None:
    upgrade = ("--config", str(ROOT / "alembic.ini"), "upgrade", "head")

    code, said, complaint = typed(empty_database, *upgrade, folder=tmp_path)
    again = run(empty_database, "upgrade", "head")

    assert re.match(r"upgrade \w+: The first shop", said)
    assert (code, complaint, again) == (0, "", Ran(True, ""))


def test_of_several_at_once_one_works_and_the_others_see_it_done(empty_database: Database) -> None:
    racing = [start(empty_database, "upgrade", "head") for _ in range(3)]
    ended = [end(process) for process in racing]

    assert [code for code, _, _ in ended] == [0, 0, 0], ended
    assert sum("The first shop" in said for _, said, _ in ended) == 1


def test_with_work_to_do_a_migrator_waits_for_the_other(empty_database: Database) -> None:
    with connect(empty_database) as other:
        lock(other)
        waiting = start(empty_database, "upgrade", "head")
        wait_until_it_asks_for_the_lock(other)
        still_waiting = waiting.poll() is None
        meanwhile = catalog(empty_database)

    code, _, _ = end(waiting)
    assert still_waiting
    assert meanwhile == []
    assert code == 0
    assert run(empty_database, "check").has_succeeded


@pytest.mark.parametrize("command", ["upgrade head", "upgrade heads", "current", "check"])
def test_without_work_nobody_waits(database: Database, command: str) -> None:
    with connect(database) as other:
        lock(other)

        assert run(database, *command.split()).has_succeeded


def test_a_migration_that_fails_changes_nothing_and_gives_the_lock_back(database: Database) -> None:
    migrate(database, downgrade, FIRST)
    with connect(database) as other:
        other.execute(text("CREATE VIEW in_the_way AS SELECT * FROM order_lines"))
        before = catalog(database)

        assert not run(database, "downgrade", "base").has_succeeded

        assert catalog(database) == before
        assert other.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": runner.MIGRATION_LOCK})


def test_a_table_in_use_is_waited_for_aloud_and_in_short_turns(database: Database) -> None:
    migrate(database, downgrade, FIRST)
    with connect(database) as other:
        other.execute(text("BEGIN; SELECT * FROM order_lines"))
        holder = other.scalar(text("SELECT pg_backend_pid()"))
        with start(database, "-x", "lock_timeout=800ms", "downgrade", "base") as waiting:
            assert waiting.stdout
            said = [waiting.stdout.readline() for _ in range(2)]
            other.execute(text("ROLLBACK"))
            rest = waiting.stdout.read()

    assert said == [
        f"waiting for a lock on order_lines held by pid {holder}: SELECT pg_backend_pid()\n",
        "gave up waiting for a lock; next try in 0.5 s\n",
    ]
    assert waiting.returncode == 0, rest
    assert catalog(database) == []


def test_a_table_in_use_for_too_long_makes_a_migration_give_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "PAUSES", (0.01, 0.01, 0.01))
    migrate(database, downgrade, FIRST)
    before = catalog(database)
    with connect(database) as other:
        other.execute(text("BEGIN; SELECT * FROM order_lines"))

        gave_up = run(database, "-x", "lock_timeout=100ms", "downgrade", "base")

    assert not gave_up.has_succeeded
    assert gave_up.said.count("gave up waiting for a lock") == 3
    assert "canceling statement due to lock timeout" in gave_up.said
    assert catalog(database) == before


def test_a_failure_names_the_line_and_leaves_the_last_whole_migration(database: Database, checkout: Path) -> None:
    write(checkout, "whole", HEAD, 'op.execute("CREATE TABLE whole (id bigint)")')
    write(checkout, "broken", "whole", 'op.execute("CREATE TABLE part (id bigint)")\n    op.execute("SELECT 1/0")')

    code, said, complaint = typed(database, "upgrade", "head", folder=checkout)

    assert code != 0
    assert "Traceback" not in complaint
    failure = "revision broken failed at alembic/versions/broken.py:8: division by zero; the database is at whole"
    assert failure in said + complaint
    relations = {row[1] for row in catalog(database)}
    assert "whole" in relations
    assert "part" not in relations


def test_an_index_that_is_built_concurrently_may_take_its_time(database: Database, checkout: Path) -> None:
    write_index(checkout)
    with connect(database) as other:
        other.execute(text("BEGIN; SELECT * FROM orders"))  # which it waits for
        building = start(database, "-x", "lock_timeout=100ms", "upgrade", "head", folder=checkout)
        wait_until(lambda: is_building(database) or building.poll() is not None)
        time.sleep(0.2)
        other.execute(text("ROLLBACK"))

    code, said, complaint = end(building)
    assert code == 0, said + complaint
    assert ("index", "orders", "ix_orders_status", INDEX) in catalog(database)


def test_a_broken_index_is_dropped_before_it_is_built_again(database: Database, checkout: Path) -> None:
    write_index(checkout)
    with connect(database) as other:
        other.execute(text("CREATE INDEX ix_orders_status ON orders (status)"))
        other.execute(text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_orders_status'::regclass"))

        migrated = run(database, "upgrade", "head", folder=checkout)

        assert "dropping the invalid index public.ix_orders_status, which an earlier" in migrated.said
        assert migrated.has_succeeded
        assert not other.scalar(text("SELECT count(*) FROM pg_index WHERE NOT indisvalid"))


@pytest.mark.parametrize("cut", ["the process", "the connection"])
def test_a_migration_that_is_cut_off_leaves_the_last_whole_one(database: Database, checkout: Path, cut: str) -> None:
    write(checkout, "slow", HEAD, 'op.execute("CREATE TABLE part (id bigint); SELECT pg_sleep(4)")')
    with connect(database) as other:
        migrating = start(database, "upgrade", "head", folder=checkout)
        wait_until(lambda: bool(other.scalar(SLEEPING)))
        before = catalog(database)
        if cut == "the process":
            migrating.kill()
        other.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))
    code, said, complaint = end(migrating)

    assert code != 0
    assert cut == "the process" or "terminating connection due to administrator command" in said + complaint
    assert catalog(database) == before
    write(checkout, "slow", HEAD, 'op.execute("CREATE TABLE part (id bigint)")')
    assert run(database, "upgrade", "head", folder=checkout).has_succeeded


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


def test_sql_for_somebody_else_to_run_needs_no_settings_and_does_the_same(empty_database: Database) -> None:
    written = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head", "--sql"],
        cwd=ROOT,
        env={},
        text=True,
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    ).stdout
    with connect(empty_database) as somebody:
        for statement in written.split(";\n\n"):  # as psql sends them: an index is built concurrently only by itself
            somebody.exec_driver_sql(statement)
    by_hand = catalog(empty_database)

    migrate(empty_database, downgrade, "base")
    migrate(empty_database, upgrade, "head")

    assert written.startswith("SET lock_timeout")
    assert by_hand == catalog(empty_database)


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


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [("POSTGRES_PORT", "1", "refused"), ("FLASK_CONFIG", "prod", "FLASK_CONFIG: should be one of")],
)
def test_what_stands_in_the_way_is_said_in_a_line(database: Database, name: str, value: str, reason: str) -> None:
    database.environment[name] = value

    refused = run(database, "current")

    assert not refused.has_succeeded
    assert reason in refused.said


def test_a_connection_handed_over_stays_in_the_hands_of_its_owner(empty_database: Database) -> None:
    engine = create_engine(empty_database.url, poolclass=NullPool)
    with engine.connect() as connection, connection.begin() as transaction:
        upgrade(Config(ROOT / "alembic.ini", attributes={"connection": connection}), LAST_IN_A_TRANSACTION)
        migrated = connection.scalar(text("SELECT count(*) FROM orders"))
        transaction.rollback()

    assert migrated == 0
    assert catalog(empty_database) == []


def migrate(database: Database, command: Callable[[Config, str], None], revision: str) -> None:
    """Migrate in this process, because a new one takes ten times as long. Raise CommandError if Alembic refuses."""
    with pytest.MonkeyPatch.context() as process:
        for name, value in database.environment.items():
            process.setenv(name, value)
        command(Config(ROOT / "alembic.ini"), revision)


@dataclass(frozen=True)
class Ran:
    has_succeeded: bool
    said: str


def run(database: Database, *command: str, folder: Path = ROOT) -> Ran:
    """Run Alembic's command line in this process. Raise errors for which it prints no line."""
    line, said = CommandLine(), StringIO()
    options = line.parser.parse_args(command)
    config = Config(folder / "alembic.ini", ini_section=options.name, cmd_opts=options, stdout=said)
    with pytest.MonkeyPatch.context() as process, redirect_stdout(said):
        process.setattr(sys, "path", [*sys.path])
        for name, value in database.environment.items():
            process.setenv(name, value)
        try:
            line.run_cmd(config, options)
        except SystemExit:
            return Ran(False, said.getvalue())
    return Ran(True, said.getvalue())


def typed(database: Database, *command: str, folder: Path = ROOT) -> tuple[int, str, str]:
    """Run Alembic in a new process and return exit code, stdout and stderr."""
    return end(start(database, *command, folder=folder))


def start(database: Database, *command: str, folder: Path = ROOT) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "alembic", *command],
        cwd=folder,
        env=database.environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def end(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    try:
        stdout, stderr = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, stdout, stderr


def catalog(database: Database) -> list[tuple[str, ...]]:
    """Return everything in the schema except Alembic's own table."""
    with connect(database) as connection:
        rows = [tuple(row) for row in connection.execute(text(CATALOG))]
    return [row for row in rows if "alembic_version" not in " ".join(row)]


def lock(connection: Connection) -> None:
    """Take the migration lock, as another migrator would."""
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": runner.MIGRATION_LOCK})


def write(checkout: Path, name: str, after: str, operations: str) -> None:
    (checkout / "alembic" / "versions" / f"{name}.py").write_text(
        f'"""{name}."""\n\nfrom alembic import op\nrevision, down_revision = "{name}", "{after}"\n\n'
        f"def upgrade():\n    {operations}\n"
    )


def write_index(checkout: Path) -> None:
    create = "CREATE INDEX CONCURRENTLY ix_orders_status ON orders (status)"
    write(checkout, "later", HEAD, f'with op.get_context().autocommit_block():\n        op.execute("{create}")')


def is_building(database: Database) -> bool:
    with connect(database) as other:
        return bool(other.scalar(text("SELECT count(*) FROM pg_stat_progress_create_index")))


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def wait_until_it_asks_for_the_lock(connection: Connection) -> None:
    asking = text("""
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'SELECT pg_try_advisory_lock%'
    """)
    deadline = time.monotonic() + PATIENCE
    while not connection.scalar(asking):
        assert time.monotonic() < deadline, "nobody asked for the lock"
        time.sleep(0.05)


def revisions(checkout: Path) -> set[Path]:
    return set((checkout / "alembic" / "versions").glob("*.py"))


@contextmanager
def connect(database: Database) -> Iterator[Connection]:
    """Open a connection in autocommit mode. Its locks end with it."""
    engine = create_engine(database.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout with its own revisions, so that new ones do not affect parallel tests."""
    shutil.copytree(ROOT / "alembic", tmp_path / "alembic")
    shutil.copy(ROOT / "alembic.ini", tmp_path)
    for name in ("app", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path
