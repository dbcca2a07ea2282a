"""`inv db.rehearse`, which measures the impact of a migration on clients, on the embedded server.

The tests share a clone that is released as v1, and the data that `inv db.rehearse` loads there with the release's code.
"""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from invoke.context import Context

from groundwork.migrations import git_release, revisions
from groundwork.postgresql import database
from groundwork.scenarios import workspace
from groundwork.system.errors import Exit
from groundwork.tasks.db import migrations as db
from packages.groundwork.tests.conftest import Clone, end_what_runs, make_clone, wait_until

SIZE = "200"
HEAD = revisions.pending(set())[-1].name
BROKEN = '"""Broken."""\nSIZE = 1\nraise RuntimeError\n'
Captured = pytest.CaptureFixture[str]

# Where there are none, as when a scenario is loaded, it need not take long.
LOCK_ORDERS = "DO $$ BEGIN IF EXISTS (SELECT FROM orders) THEN LOCK TABLE orders; PERFORM pg_sleep(1); END IF; END $$"


def test_a_harmless_migration_passes_and_its_lock_is_shown(
    rehearsed: "subprocess.CompletedProcess[str]", shop: Clone
) -> None:
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert re.search(r"rehearsing the migrations since v1 \(\w{7}\): 5e7\n", rehearsed.stderr)
    assert re.search(r"5e7 Nicknames for products +\d\.\d+ +\w.* +\d+ +\w.* +\d+ +0 *\n", rehearsed.stdout)
    assert re.search(r"5e7 .* AccessExclusiveLock +products +reads and writes", rehearsed.stdout)


def test_a_migration_that_blocks_and_one_that_breaks_queries_fail_by_their_names(shop: Clone, capfd: Captured) -> None:
    allow_to_block(shop, milliseconds=200)
    write(shop, "Lock the orders", LOCK_ORDERS)
    rename = "ALTER TABLE users RENAME COLUMN name TO full_name"
    write(shop, "Full names", rename, name="5e8", after="5e7")

    with pytest.raises(Exit) as failed:
        db.rehearse(Context(), size=SIZE)

    said = capfd.readouterr()
    assert failed.value.code == 1
    assert re.search(r"5e7 .* AccessExclusiveLock +orders +reads and writes +\d+ +([5-9]\d\d|\d,\d+)", said.out)
    assert re.search(
        r"5e7 Lock the orders: a write took ([2-9]\d\d|\d,\d+) ms, "
        r"more than the 200 of migrations/longest_blocked_ms: add an order\n",
        said.err,
    )
    assert re.search(
        r"5e8 Full names: \d+ reads failed, as they would in the previous release: "
        r"newest orders: column users.name does not exist\n",
        said.err,
    )


def test_one_that_cannot_be_undone_meets_what_the_release_has_loaded(
    shop: Clone, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(shop, "Loud names", "UPDATE users SET name = upper(name)", 'raise NotImplementedError("there is none")')
    monkeypatch.setattr(git_release, "exported", lambda _: pytest.fail("it is loaded again, and was kept"))

    db.rehearse(Context(), size=SIZE)

    assert re.search(r"5e7 .* RowExclusiveLock +users", capfd.readouterr().out)


@pytest.mark.engine
def test_in_a_container_it_is_the_same(clone: Clone) -> None:
    del clone.environment["DOCKER_HOST"]
    publish(clone, "v1")
    write(clone, "Loud names", "UPDATE users SET name = upper(name)", 'raise NotImplementedError("there is none")')
    (clone.folder / "scenarios" / "orders.py").write_text(BROKEN)

    rehearsed = [clone.inv("db.rehearse", "--size", SIZE) for _ in range(2)]

    assert [each.returncode for each in rehearsed] == [0, 0], rehearsed
    assert all(re.search(r"5e7 .* RowExclusiveLock +users", each.stdout) for each in rehearsed)
    assert "in a container" in rehearsed[0].stderr
    (clone.folder / "scenarios" / "orders.py").unlink()
    assert clone.inv("scenario.clean").stdout.startswith("orders: deleted")


def test_without_a_release_that_can_load_it_the_way_is_back_from_the_head(shop: Clone, capfd: Captured) -> None:
    (shop.folder / "alembic" / "env.py").write_text("raise SystemExit(1)\n")
    publish(shop, "v2")
    git(shop, "checkout", "v1", ".")
    closed = shop.folder / "closed"
    way_back = (
        f'import pathlib\n    if pathlib.Path({str(closed)!r}).exists(): raise NotImplementedError("it is closed")'
    )
    write(shop, "Loud names", "UPDATE users SET name = upper(name)", way_back)

    db.rehearse(Context(), size=SIZE)

    expected = r"v2 \(\w{7}\) cannot load orders: loading it with the current code, then downgrading\n"
    assert re.search(expected, capfd.readouterr().err)
    closed.touch()
    git(shop, "tag", "--delete", "v1", "v2")
    with pytest.raises(Exit) as refused:
        db.rehearse(Context(), size=SIZE)
    said = capfd.readouterr().err
    assert refused.value.code == 1
    assert (
        "rehearsing the migrations after the second to last, as there is neither a tag nor origin/main: 5e7\n" in said
    )
    assert re.search(r"nothing was rehearsed, since the downgrade to \w+ failed: it is closed; ", said)


def test_after_ctrl_c_half_way_nothing_is_left(shop: Clone) -> None:
    begun = shop.folder / "begun"
    waiting = write(shop, "Wait", "SELECT pg_sleep(4)")
    touch = f"import pathlib; pathlib.Path({str(begun)!r}).touch()"
    waiting.write_text(waiting.read_text().replace("def upgrade():\n", f"def upgrade():\n    {touch}\n"))
    rehearsing = subprocess.Popen(
        shop.command("db.rehearse", "--size", SIZE),
        cwd=shop.folder, env=shop.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, process_group=0,
    )  # fmt: skip
    with rehearsing:
        wait_until(begun.exists)

        os.killpg(rehearsing.pid, signal.SIGINT)

        said, _ = rehearsing.communicate(timeout=30)
    assert rehearsing.returncode == 130, said
    assert "Traceback" not in said
    wait_until(lambda: shop.processes() == [])
    assert "rehearsal" not in databases()


def test_where_there_is_nothing_to_rehearse_it_says_so_and_starts_nothing(
    shop: Clone, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "exclusive", lambda _: pytest.fail("it starts a server"))

    db.rehearse(Context())

    assert re.fullmatch(r"nothing to rehearse: there are no migrations since v1 \(\w{7}\)\n", capfd.readouterr().out)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"from_": "nothing"}, r"there is no revision 'nothing': alembic/versions has \w+[^\n]*"),
        ({"size": "many"}, "--size: should be a whole number, got 'many'"),
        ({"size": "0"}, "--size: should be at least 1, got 0"),
    ],
)
def test_what_cannot_be_rehearsed_is_one_line(arguments: dict[str, str], complaint: str) -> None:
    with pytest.raises(Exit, match=f"^{complaint}$") as refused:
        db.rehearse(Context(), **arguments)

    assert refused.value.code == 1


def write(clone: Clone, title: str, upgrade: str, downgrade: str = "pass", name: str = "5e7", after: str = "") -> Path:
    """Write a migration after all others, or after `after`; `upgrade` is SQL, `downgrade` is Python."""
    path = clone.folder / "alembic" / "versions" / f"{name}.py"
    path.write_text(
        f'''"""{title}."""
from alembic import op
revision = "{name}"
down_revision = "{after or HEAD}"
def upgrade():
    op.execute("{upgrade}")
def downgrade():
    {downgrade}
'''
    )
    return path


def allow_to_block(clone: Clone, milliseconds: int) -> None:
    path = clone.folder / "config" / "development.json"
    text = path.read_text()
    assert '"longest_blocked_ms": 1000' in text
    path.write_text(text.replace('"longest_blocked_ms": 1000', f'"longest_blocked_ms": {milliseconds}'))


def publish(clone: Clone, tag: str) -> None:
    """Commit all files, and tag the commit."""
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "All"], ["tag", tag]):
        git(clone, *command)


def git(clone: Clone, *arguments: str) -> None:
    who = ["-c", "user.name=Anybody", "-c", "user.email=anybody@example.com"]
    subprocess.run(["git", *who, *arguments], cwd=clone.folder, check=True)


def databases() -> list[str]:
    """Start the scenario's server and return the names of its databases."""
    with workspace.exclusive("orders") as scenario:
        with database.connect(scenario.configuration) as connection:
            names = [str(row[0]) for row in connection.execute("SELECT datname FROM pg_database")]
        scenario.server.stop()
    assert any(name.startswith("loaded_") for name in names)
    return names


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    clone = make_clone(tmp_path_factory.mktemp("released"))
    publish(clone, "v1")
    return clone


@pytest.fixture(scope="module")
def rehearsed(released: Clone) -> "subprocess.CompletedProcess[str]":
    """Run `inv db.rehearse`. The release's code must load the data, because the working tree's is broken."""
    (released.folder / "scenarios" / "orders.py").write_text(BROKEN)
    added, dropped = "ADD COLUMN nickname text", 'op.execute("ALTER TABLE products DROP COLUMN nickname")'
    migration = write(released, "Nicknames for products", f"ALTER TABLE products {added}", dropped)
    finished = released.inv("db.rehearse", "--size", SIZE)
    migration.unlink()
    return finished


@pytest.fixture
def shop(
    released: Clone, rehearsed: "subprocess.CompletedProcess[str]", monkeypatch: pytest.MonkeyPatch
) -> Iterator[Clone]:
    """Yield the clone with the release's data on a stopped server. Reset it to the release afterwards."""
    released.enter(monkeypatch)
    (released.folder / "scenarios" / "orders.py").write_text(BROKEN)
    v1 = git_release.commit()
    yield released
    git(released, "reset", "--quiet", "--hard", v1)
    git(released, "clean", "--quiet", "-d", "--force")
    git(released, "tag", "--force", "v1")
    end_what_runs(released)
