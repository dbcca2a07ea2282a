"""`inv db.rehearse`: what a migration costs those who use the service meanwhile, on the embedded server."""

import os
import re
import signal
import subprocess

import pytest

from ops import migrations, postgres
from tests.ops.conftest import Clone, wait_until

SMALL = ("--size", "200")

# Where there are none, as when a scenario is loaded, it need not take long.
LOCK_ORDERS = (
    "DO $$ BEGIN IF EXISTS (SELECT FROM orders) THEN LOCK TABLE orders; PERFORM pg_sleep({seconds}); END IF; END $$"
)


def test_a_harmless_migration_passes_and_its_lock_is_shown(clone: Clone) -> None:
    release(clone)
    write(
        clone,
        "Nicknames for products",
        "ALTER TABLE products ADD COLUMN nickname text",
        "ALTER TABLE products DROP COLUMN nickname",
    )

    rehearsed = clone.inv("db.rehearse", *SMALL)

    assert rehearsed.returncode == 0, rehearsed.stderr
    assert re.search(r"the migrations since v1 \(\w{7}\): 5e7\n", rehearsed.stderr)
    assert re.search(r"5e7 Nicknames for products +\d\.\d+ +\w.* +\d+ +\w.* +\d+ +0 *\n", rehearsed.stdout)
    assert re.search(r"5e7 .* AccessExclusiveLock +products +reads and writes", rehearsed.stdout)
    assert clone.processes() == []


def test_one_that_blocks_for_longer_than_is_allowed_fails_by_its_name(clone: Clone) -> None:
    write(clone, "Lock the orders", LOCK_ORDERS.format(seconds=2), "")

    rehearsed = clone.inv("db.rehearse", *SMALL)

    assert rehearsed.returncode == 1
    assert (
        "the migrations after the last but one, since there is neither a tag nor origin/main: 5e7" in rehearsed.stderr
    )
    assert re.search(
        r"5e7 Lock the orders: a write took [2-9],\d+ ms, "
        r"more than the 1,000 of migrations/longest_blocked_ms: add an order\n",
        rehearsed.stderr,
    )
    assert re.search(r"5e7 .* AccessExclusiveLock +orders +reads and writes +\d+ +[2-9],\d+", rehearsed.stdout)
    assert clone.processes() == []


def test_queries_that_the_new_schema_refuses_are_shown(clone: Clone) -> None:
    write(
        clone,
        "Full names",
        "ALTER TABLE users RENAME COLUMN name TO full_name",
        "ALTER TABLE users RENAME COLUMN full_name TO name",
    )
    story = clone.folder / "scenarios" / "orders.py"
    story.write_text(
        story.read_text().replace('"users": ("id", "email", "name"', '"users": ("id", "email", "full_name"')
    )

    rehearsed = clone.inv("db.rehearse", *SMALL)

    assert rehearsed.returncode == 1
    assert re.search(
        r"5e7 Full names: \d+ reads failed, so the previous release would: "
        r"the newest orders: column users.name does not exist\n",
        rehearsed.stderr,
    )


@pytest.mark.parametrize("in_container", [False, pytest.param(True, marks=pytest.mark.engine)])
def test_one_that_cannot_be_undone_meets_what_the_release_has_loaded(clone: Clone, in_container: bool) -> None:
    if in_container:
        del clone.environment["DOCKER_HOST"]
    release(clone)
    write(clone, "Loud names", "UPDATE users SET name = upper(name)", "")
    forget_the_way_back(clone)
    break_the_story(clone)

    rehearsed = [clone.inv("db.rehearse", *SMALL) for _ in range(2)]

    assert [each.returncode for each in rehearsed] == [0, 0], rehearsed
    assert all(re.search(r"5e7 .* RowExclusiveLock +users", each.stdout) for each in rehearsed)
    assert ("in a container" in rehearsed[0].stderr) == in_container
    (clone.folder / "scenarios" / "orders.py").unlink()
    assert clone.inv("scenario.clean").stdout.startswith("orders: dropped")


def test_where_the_release_cannot_load_it_the_way_is_back_from_the_head(clone: Clone) -> None:
    story = (clone.folder / "scenarios" / "orders.py").read_text()
    break_the_story(clone)
    release(clone)
    (clone.folder / "scenarios" / "orders.py").write_text(story)
    write(clone, "Loud names", "UPDATE users SET name = upper(name)", "")

    rehearsed = clone.inv("db.rehearse", *SMALL)
    forget_the_way_back(clone)
    refused = clone.inv("db.rehearse", *SMALL)

    assert rehearsed.returncode == 0, rehearsed.stderr
    assert re.search(r"v1 \(\w{7}\) cannot load orders: it is loaded at the head, and downgraded\n", rehearsed.stderr)
    assert refused.returncode == 1
    assert re.search(r"nothing was rehearsed, since the way back to \w+ fails: there is none; ", refused.stderr)


def test_after_ctrl_c_half_way_nothing_is_left(clone: Clone) -> None:
    write(clone, "Lock the orders", LOCK_ORDERS.format(seconds=4), "")
    rehearsing = subprocess.Popen(
        clone.command("db.rehearse", *SMALL),
        cwd=clone.folder, env=clone.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, process_group=0,
    )  # fmt: skip
    with rehearsing:
        wait_until(lambda: clone.is_running("upgrade 5e7"))

        os.killpg(rehearsing.pid, signal.SIGINT)

        said, _ = rehearsing.communicate(timeout=30)
    assert rehearsing.returncode == 130, said
    assert "Traceback" not in said
    wait_until(lambda: clone.processes() == [])
    assert "rehearsal" not in databases(clone)


def test_where_there_is_nothing_to_rehearse_it_says_so_and_starts_nothing(clone: Clone) -> None:
    release(clone)

    rehearsed = clone.inv("db.rehearse")

    assert rehearsed.returncode == 0
    assert re.fullmatch(r"nothing to rehearse: there are no migrations since v1 \(\w{7}\)\n", rehearsed.stdout)
    assert clone.processes() == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--from", "nothing"], r"there is no revision 'nothing': alembic/versions has \w+.*"),
        (["--size", "many"], "--size: should be a whole number, got 'many'"),
        (["--size", "0"], "--size: should be at least 1, got 0"),
    ],
)
def test_what_cannot_be_rehearsed_is_one_line(clone: Clone, arguments: list[str], complaint: str) -> None:
    refused = clone.inv("db.rehearse", *arguments)

    assert refused.returncode == 1
    assert re.fullmatch(f"{complaint}\n", refused.stderr)


def write(clone: Clone, title: str, upgrade: str, downgrade: str) -> None:
    """A migration after all others."""
    (clone.folder / "alembic" / "versions" / "5e7.py").write_text(
        f'''"""{title}."""
from alembic import op
revision = "5e7"
down_revision = "{migrations.pending(set())[-1].name}"
def upgrade():
    op.execute("{upgrade}")
def downgrade():
    op.execute("{downgrade or "SELECT 1"}")
'''
    )


def forget_the_way_back(clone: Clone) -> None:
    path = clone.folder / "alembic" / "versions" / "5e7.py"
    path.write_text(path.read_text().replace('op.execute("SELECT 1")', 'raise NotImplementedError("there is none")'))


def break_the_story(clone: Clone) -> None:
    (clone.folder / "scenarios" / "orders.py").write_text('"""Broken."""\nSIZE = 1\nraise RuntimeError\n')


def release(clone: Clone) -> None:
    git = ["git", "-c", "user.name=Anybody", "-c", "user.email=anybody@example.com"]
    for command in (["init"], ["add", "."], ["commit", "--message", "All"], ["tag", "v1"]):
        subprocess.run([*git, *command], cwd=clone.folder, capture_output=True, check=True)


def databases(clone: Clone) -> str:
    clone.inv("scenario", "--name", "orders", *SMALL)
    psql = f"PGPASSWORD=$POSTGRES_PASSWORD {postgres.binary('psql')} --host $POSTGRES_HOST --port $POSTGRES_PORT"
    listed = clone.inv("scenario.run", "--name", "orders", f"{psql} --username $POSTGRES_USER --list")
    clone.inv("scenario.down", "--all")
    assert "loaded_" in listed.stdout, listed.stderr
    return listed.stdout
