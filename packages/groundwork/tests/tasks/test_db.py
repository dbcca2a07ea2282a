"""Migration tasks: the commands that they build, and their effects on a real database."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from invoke.context import Context
from invoke.tasks import Task

from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.migrations import compatibility, revisions
from groundwork.postgresql import database as databases
from groundwork.postgresql.database import Database
from groundwork.system import shell
from groundwork.system.errors import Exit
from groundwork.system.paths import NAME
from groundwork.tasks.db import backup
from groundwork.tasks.db import migrations as db
from groundwork.testing.service import Database as OwnDatabase
from packages.groundwork.tests.conftest import Clone, production_secrets

Captured = pytest.CaptureFixture[str]

KNOWN = list(revisions.load_all())
FIRST, HEAD = KNOWN[0], KNOWN[-1]
SECRETS = production_secrets()


@pytest.mark.parametrize(
    ("task", "arguments", "expected"),
    [
        (db.migrate, {}, [["alembic", "upgrade", "head"]]),
        (
            db.revision,
            {"message": "a name"},
            ["compare", ["alembic", "revision", "--autogenerate", "--message=a name"]],
        ),
        (
            db.revision,
            {"message": "a name", "apply": True},
            [
                "compare",
                ["alembic", "revision", "--autogenerate", "--message=a name"],
                ["alembic", "upgrade", "head"],
            ],
        ),
        (db.downgrade, {}, [["alembic", "downgrade", "-1"]]),
        (db.downgrade, {"revision": "base"}, [["alembic", "downgrade", "base"]]),
        (db.downgrade, {"revision": FIRST[:4]}, [["alembic", "downgrade", FIRST[:4]]]),
        (db.check, {}, ["compare", ["alembic", "check"]]),
        (db.reset, {}, ["drop", "create", ["alembic", "upgrade", "head"], ["groundwork.scenarios.loading", "starter"]]),
    ],
)
def test_a_task_builds(
    task: Task[Any], arguments: dict[str, str], expected: list[object], ran: list[object], checkout: Path
) -> None:
    (checkout / "alembic.ini").touch()

    task(Context(), **arguments)

    assert ran == expected


@pytest.mark.parametrize(
    ("task", "arguments", "would"),
    [
        (db.reset, {}, "db.reset would drop"),
        (db.downgrade, {}, "db.downgrade would revert migrations of"),
        (backup.snapshot, {}, "db.snapshot would disconnect all clients of"),
        (backup.restore, {"name": "before"}, "db.restore would replace"),
        (backup.restore_backup, {"folder": "somewhere"}, "db.restore-backup would replace"),
        (backup.forget, {"name": "before"}, "db.forget would drop a snapshot of"),
    ],
)
@pytest.mark.parametrize("meant", ["", "yes", f"{NAME}2"])
def test_production_is_touched_only_where_its_database_is_named(
    task: Task[Any],
    arguments: dict[str, str],
    would: str,
    meant: str,
    ran: list[object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("APPLICATION_CONFIG", "production")

    refused = f"inv {would} {NAME} of production: refused without --yes-i-mean {NAME}"
    with pytest.raises(Exit, match=re.escape(refused)):
        task(Context(), **arguments, yes_i_mean=meant)

    assert ran == []


@pytest.mark.parametrize("revision", ["nonsense", "-99", "-0", "", f"{FIRST}0"])
def test_a_revision_to_go_back_to_that_is_not_there_is_said_with_those_that_are(
    revision: str, ran: list[object]
) -> None:
    refused = f"--revision: no applied migration is '{revision}'; choose one of:\n"
    with pytest.raises(Exit, match=rf"(?s){re.escape(refused)}.*  {FIRST}  .*\n  base  ") as refusal:
        db.downgrade(Context(), revision=revision)

    assert refusal.value.code == 1
    assert ran == []


@pytest.mark.parametrize(
    ("at", "why"),
    [(set(), "no migration is applied"), ({"nobody's"}, "is at nobody's, which is not in alembic/versions")],
)
def test_where_there_is_nothing_to_undo_that_is_said(at: set[str], why: str) -> None:
    with pytest.raises(Exit, match=why):
        revisions.require_applied(at, "-1")


def test_a_database_of_another_branch_is_said_with_the_remedy() -> None:
    with pytest.raises(Exit, match=r"inv db.downgrade in the branch that has it; in development, inv db.reset"):
        revisions.require_known({FIRST, "nobody's"})


def test_a_migration_from_alembics_own_template_is_read(versions: Path) -> None:
    (versions / "later.py").write_text(
        f'"""Later, with types.\n\nRevision ID: later\n"""\n\nrevision: str = "later"\n'
        f'down_revision: str | None = "{HEAD}"\nbranch_labels: str | None = None\n'
    )

    assert str(revisions.pending({HEAD})[0]) == "later  Later, with types."


def test_what_an_editor_leaves_is_no_migration(versions: Path, tmp_path: Path) -> None:
    known = revisions.load_all()
    (versions / ".#later.py").symlink_to("someone@laptop.4711:1")  # how Emacs locks later.py
    (versions / "later.py~").write_text("revision = ")
    (versions / ".later.py.swp").write_bytes(b"\0\xff")

    compatibility.replace_migrations(tmp_path / "released")

    assert revisions.load_all() == known


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        (b'revision = "later', "later.py:1", r"SyntaxError: unterminated string(?!.*later\.py)"),
        (b"\xff", "later.py:1", "SyntaxError: .*can't decode byte 0xff"),
        (b"# Later.\nimport nothing_like_it\n", "later.py:2", "ModuleNotFoundError: No module named"),
        (b'"""Later."""\n', "later.py", "CommandError: Could not determine revision id"),
        (b'revision = "later"\n', "later.py", "AttributeError: .*down_revision"),
        (b'revision = "later"\ndown_revision = 5\n', "later.py", "TypeError: .*int"),
        (b'revision = "later"\ndown_revision = "later"\n', "", "CommandError: Self-loop .*later"),
    ],
)
def test_a_migration_that_cannot_be_read_is_one_line(versions: Path, text: bytes, place: str, reason: str) -> None:
    (versions / "later.py").write_bytes(text)

    with pytest.raises(
        Exit, match=rf"^{re.escape(str(versions / place))}: {reason}[^\n]*: correct the file[^\n]*$"
    ) as no:
        revisions.load_all()

    assert no.value.code == 1


def test_a_migration_that_was_deleted_is_named_with_the_one_that_follows_it(versions: Path) -> None:
    write(versions, "middle", HEAD)
    write(versions, "last", "middle").write_text('"""On top of it."""\nrevision, down_revision = "last", "middle"\n')
    (versions / "middle.py").unlink()

    with pytest.raises(
        Exit,
        match=r"^[^\n]*: revision middle, the down_revision of last, is missing: [^\n]* git log [^\n]*\*middle\*'$",
    ):
        revisions.load_all()


def test_two_files_of_one_revision_are_one_line(versions: Path) -> None:
    write(versions, "later", HEAD)
    shutil.copy(versions / "later.py", versions / "copy_of_later.py")

    with pytest.raises(Exit, match=r"^[^\n]*: Revision later is present more than once: delete one[^\n]*$"):
        revisions.load_all()


@pytest.mark.parametrize("task", [db.migrate, db.status, db.check, partial(db.migrate, dry_run=True)])
def test_two_heads_are_named_with_the_command_that_merges_them(
    versions: Path, ran: list[object], task: Callable[[Context], None]
) -> None:
    write(versions, "one", HEAD)
    write(versions, "other", HEAD)

    with pytest.raises(
        Exit, match=r"""^[^\n]*: multiple heads: one, other: [^\n]* inv run 'alembic merge [^\n]* heads'$"""
    ):
        task(Context())

    assert ran == []


@pytest.mark.parametrize(
    ("at", "wanted", "remedy"),
    [
        ({"merge"}, "-1", "merge merges one, other, so .*: inv db.downgrade --revision one reverts only the merge"),
        ({"last"}, "-2", "merge merges one, other, so .*: inv db.downgrade --revision one reverts only the merge"),
        ({"last"}, "merge-1", "merge merges one, other, so .*: inv db.downgrade --revision one reverts only the merge"),
        (
            {"one", "other"},
            "-1",
            "the database is at one, other: name the one .*: inv db.downgrade --revision other@-1",
        ),
    ],
)
def test_steps_back_with_more_than_one_way_are_refused_with_the_command_that_has_one(
    versions: Path, at: set[str], wanted: str, remedy: str
) -> None:
    write_merge(versions)
    revisions.require_applied({"last"}, "-1")
    revisions.require_applied({"last"}, "merge")

    with pytest.raises(Exit, match=f"^{remedy}"):
        revisions.require_applied(at, wanted)


def test_a_merge_is_undone_by_the_command_that_is_named(
    clone: Clone, database: OwnDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.environment.update(database.environment, APPLICATION_CONFIG="testing")
    clone.enter(monkeypatch)
    write_merge(revisions.FOLDER)
    settings = loader.load()
    db.migrate(Context())

    db.downgrade(Context())
    db.downgrade(Context(), revision="one")
    assert revisions.current(settings) == {"one", "other"}
    db.downgrade(Context(), revision="other@-1")
    assert revisions.current(settings) == {"one"}
    db.migrate(Context())
    assert revisions.current(settings) == {"last"}


def test_production_that_an_option_names_is_guarded_too(ran: list[object]) -> None:
    with pytest.raises(Exit, match=f"replace {NAME} of production: refused without --yes-i-mean {NAME}"):
        backup.restore_backup(Context(), folder="somewhere", config="production")

    assert ran == []


def test_the_models_are_compared_without_a_word_to_production(
    clone: Clone, empty_database: OwnDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = loader.load("testing", environ=empty_database.environment)
    production = {
        name: value for name, value in reached.environment.items() if name.startswith(("APPLICATION", "POSTGRES"))
    }
    role = {"POSTGRES_USER": reached["POSTGRES_USER"], "MIGRATOR_PASSWORD": reached["POSTGRES_PASSWORD"]}
    _replace(clone.folder / "config" / "production.json", '"migrator"', f'"{reached["POSTGRES_USER"]}"')
    clone.environment.update({**SECRETS, **production, **role, "APPLICATION_CONFIG": "production"})
    before = _contents(reached)

    checked = clone.inv("db.check")
    _add_a_column(clone)
    differing = clone.inv("db.check")
    written = clone.inv("db.revision", "--message", "Nicknames")
    refused = clone.inv("db.revision", "--message", "Nicknames", "--apply")

    assert (checked.returncode, differing.returncode, written.returncode, refused.returncode) == (0, 255, 0, 1)
    assert "using the development server instead of production" in checked.stderr
    assert "No new upgrade operations detected" in checked.stdout
    assert "add_column" in differing.stdout
    assert [*(clone.folder / "alembic" / "versions").glob("*_nicknames.py")]
    assert (
        refused.stderr
        == f"--apply would migrate {reached['APPLICATION_DB']} of production: use inv db.migrate or a deploy\n"
    )
    assert _contents(reached) == before


def test_a_check_leaves_the_database_as_it_is(
    clone: Clone, empty_database: OwnDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.environment.update(empty_database.environment, APPLICATION_CONFIG="testing")
    settings = loader.load("testing", environ=empty_database.environment)
    before = _contents(settings)

    checked = clone.inv("db.check")
    _add_a_column(clone)
    differing = clone.inv("db.check")

    assert checked.returncode == 0, checked.stderr
    assert differing.returncode != 0
    assert "add_column" in differing.stdout
    assert _contents(settings) == before


def test_production_that_is_meant_is_reset_without_the_starter_data(
    ran: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"APPLICATION_CONFIG": "production", **SECRETS}.items():
        monkeypatch.setenv(name, value)

    db.reset(Context(), yes_i_mean=NAME)

    assert ran == ["drop", "create", ["alembic", "upgrade", "head"]]


def test_a_migrations_whole_life(
    clone: Clone, database: OwnDatabase, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.environment.update(database.environment, APPLICATION_CONFIG="testing")
    clone.enter(monkeypatch)
    _add_a_column(clone)
    assert clone.inv("db.check").returncode != 0

    db.revision(Context(), message="Nicknames for users")
    (written,) = (clone.folder / "alembic" / "versions").glob("*nicknames*.py")
    assert 'op.add_column("users", ' in written.read_text()
    assert _ok(clone, "run", f"ruff format --check {written} && ruff check {written}")

    db.check(Context())
    db.migrate(Context())
    at_the_head = _status(capfd)
    assert re.search(r"database  \w+  Nicknames", at_the_head)
    assert "the database is up to date" in at_the_head
    db.downgrade(Context())
    behind = _status(capfd)
    assert re.search(r"pending   \w+  Nicknames", behind)
    assert "apply the pending migrations: inv db.migrate" in behind
    db.migrate(Context(), dry_run=True)
    assert "ADD COLUMN nickname" in capfd.readouterr().out
    assert _status(capfd) == behind
    db.reset(Context())
    assert "starter: " in capfd.readouterr().out
    assert _status(capfd) == at_the_head


def test_of_many_at_once_one_migrates_and_all_end_well(clone: Clone, empty_database: OwnDatabase) -> None:
    environment = {**clone.environment, **empty_database.environment, "APPLICATION_CONFIG": "testing"}

    said = _race(clone, environment, "db.migrate")

    assert sum("upgrade " in text for text in said) == 1


def test_the_development_server_is_started_for_a_task_and_ended_after_it(clone: Clone) -> None:
    first, second = _ok(clone, "db.migrate"), _ok(clone, "db.migrate")

    assert "using an embedded PostgreSQL, since " in first
    assert "upgrade " in first
    assert "upgrade " not in second
    assert clone.processes() == []


def test_a_database_that_is_missing_is_made_once_by_all_who_need_it(clone: Clone, missing: Configuration) -> None:
    environment = {**clone.environment, **missing.environment, "APPLICATION_CONFIG": "testing"}

    said = _race(clone, environment, "db.status")

    assert all("apply the pending migrations" in text for text in said)


@pytest.mark.parametrize(
    ("task", "arguments"),
    [
        (db.migrate, {}),
        (db.status, {}),
        (backup.backup, {}),
        (db.open_shell, {}),
        (backup.snapshot, {"yes_i_mean": "{name}"}),
    ],
)
def test_in_production_a_database_that_is_missing_is_said_and_not_made(
    checkout: Path,
    missing: Configuration,
    task: Task[Any],
    arguments: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = missing["APPLICATION_DB"]
    file = checkout / "config" / "production.json"
    file.write_text(file.read_text().replace('"migrator"', f'"{missing["POSTGRES_USER"]}"'))
    reached = {**SECRETS, **missing.environment, "MIGRATOR_PASSWORD": missing["POSTGRES_PASSWORD"]}
    for variable, value in {**reached, "APPLICATION_CONFIG": "production", "FLASK_CONFIG": "production"}.items():
        monkeypatch.setenv(variable, value)

    with pytest.raises(
        Exit,
        match=rf"^there is no database {name} at \S+:\d+, and tasks do not create it in production: "
        rf'if this is the right server, run there: CREATE DATABASE "{name}" TEMPLATE template0 [^\n]*$',
    ) as refused:
        task(Context(), **{option: value.format(name=name) for option, value in arguments.items()})

    assert refused.value.code == 1
    with databases.connect(missing) as connection:
        assert connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None


def test_a_database_that_cannot_be_used_is_one_line(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    development = (checkout / "config" / "development.json").read_text()
    (checkout / "config" / "elsewhere.json").write_text(development.replace("5432", "9"))
    monkeypatch.delenv("POSTGRES_PORT", raising=False)
    monkeypatch.setenv("APPLICATION_CONFIG", "elsewhere")

    with pytest.raises(
        Exit, match=r"^cannot use PostgreSQL at localhost:9 as postgres: [^\n]*refused[^\n]*$"
    ) as refused:
        db.migrate(Context())

    assert refused.value.code == 1


def _contents(settings: Configuration) -> list[tuple[object, ...]]:
    """Return the relations of the database, and all databases whose name starts with its name."""
    relations = "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    siblings = "SELECT datname FROM pg_database WHERE starts_with(datname, current_database())"
    with databases.connect(settings, settings["APPLICATION_DB"]) as connection:
        return [*connection.execute(relations), *connection.execute(siblings)]


def _replace(path: Path, text: str, other: str) -> None:
    assert text in path.read_text()
    path.write_text(path.read_text().replace(text, other))


def _race(clone: Clone, environment: dict[str, str], task: str) -> list[str]:
    """Run the task three times in parallel and return the outputs. Fail if one fails."""
    racing = [
        subprocess.Popen(
            clone.command(task), cwd=clone.folder, env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    said = [process.communicate(timeout=60)[0] for process in racing]
    assert [process.returncode for process in racing] == [0] * 3, said
    return said


def _status(capfd: Captured) -> str:
    capfd.readouterr()
    db.status(Context())
    return capfd.readouterr().out


def _ok(clone: Clone, *arguments: str) -> str:
    finished = clone.inv(*arguments)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout + finished.stderr


def _add_a_column(clone: Clone) -> None:
    models = clone.folder / "app" / "accounts" / "models.py"
    text = models.read_text()
    changed = re.sub(
        r"(class User\(.*?\n    name: [^\n]*\n)", r"\1    nickname: Mapped[str | None]\n", text, flags=re.DOTALL
    )
    assert changed != text
    models.write_text(changed)


def write_merge(versions: Path) -> None:
    write(versions, "one", HEAD)
    write(versions, "other", HEAD)
    write(versions, "merge", ("one", "other"))
    write(versions, "last", "merge")


def write(versions: Path, name: str, after: str | tuple[str, ...]) -> Path:
    path = versions / f"{name}.py"
    path.write_text(f"revision, down_revision = {name!r}, {after!r}\n\ndef upgrade(): pass\n\ndef downgrade(): pass\n")
    return path


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the project's migrations, to which a test can add others."""
    shutil.copytree(revisions.FOLDER.parent, tmp_path / "alembic")
    monkeypatch.setattr(revisions, "FOLDER", tmp_path / "alembic" / "versions")
    return revisions.FOLDER


@pytest.fixture
def missing(empty_database: OwnDatabase) -> Iterator[Configuration]:
    """Yield settings for a database that does not exist yet. Drop it afterwards."""
    settings = loader.load("testing", environ=empty_database.environment)
    settings = settings.with_values("the test", APPLICATION_DB=f"{settings['APPLICATION_DB']}_missing")
    yield settings
    databases.drop(settings)


@pytest.fixture
def ran(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Record the steps of a task instead of executing them, and return the list."""
    done: list[object] = []

    @contextmanager
    def available(settings: Configuration) -> Iterator[Database]:
        yield Database(settings, "")

    @contextmanager
    def at_head(settings: Configuration) -> Iterator[Configuration]:
        revisions.require_one_head()
        done.append("compare")
        yield settings

    monkeypatch.delenv("APPLICATION_CONFIG", raising=False)
    monkeypatch.setattr(databases, "available", available)
    monkeypatch.setattr(databases, "connect_or_create", lambda _settings: SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(revisions, "upgrade_lock", lambda _settings: nullcontext(True))
    monkeypatch.setattr(revisions, "at_head", at_head)
    monkeypatch.setattr(revisions, "current", lambda _settings: revisions.heads())
    monkeypatch.setattr(databases, "drop", lambda _settings: done.append("drop"))
    monkeypatch.setattr(databases, "create", lambda _settings: done.append("create"))
    monkeypatch.setattr(shell, "run", lambda command, _values: done.append(command[2:]))
    monkeypatch.setattr(loader, "MOUNTED_SECRETS", checkout / "none")
    return done
