"""Backups of the stack: restores while it serves, and the daily jobs of docs/production.md."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from groundwork.system.paths import NAME
from packages.groundwork.tests.conftest import ROOT
from packages.groundwork.tests.production.running_stack import PASSWORD, Stack


@pytest.mark.engine
def test_a_backup_of_what_serves_is_brought_back_under_it(stack: Stack, tmp_path: Path) -> None:
    stack.ask("POST", "/api/users", {"email": "kept@example.com", "name": "Kept", "password": PASSWORD})
    stack.ok("prod.backup", "--folder", str(tmp_path / "backup"))
    stack.sql("postgres", "DELETE FROM users")

    refused = stack.inv("prod.restore", "--folder", str(tmp_path / "backup"))
    assert refused.returncode == 1
    assert f"refused without --yes-i-mean {NAME}" in refused.stderr
    stack.ok("prod.restore", "--folder", str(tmp_path / "backup"), "--yes-i-mean", NAME)

    assert stack.sql("app", "SELECT name FROM users WHERE email = 'kept@example.com'").stdout == "Kept\n"
    assert stack.ask("GET", "/readyz").status == 200
    for forbidden in ("CREATE TABLE mine (id int)", "DELETE FROM order_events", "CREATE TEMPORARY TABLE mine (id int)"):
        assert "permission denied" in stack.sql("app", forbidden).stderr


@pytest.mark.engine
def test_the_daily_work_that_the_page_schedules_backs_up_and_prunes(stack: Stack) -> None:
    page = (ROOT / "docs" / "production.md").read_text()
    commands = [shlex.split(line) for line in re.findall(r"^ExecStart=\S+/inv (.+)$", page, re.MULTILINE)]
    folder = stack.clone.folder / ".local" / "backups"
    old = [folder / f"production-2026-01-0{day}T03-15-00Z" for day in range(1, 9)]
    for each in old:
        each.mkdir(parents=True)

    ended = [stack.inv(*command) for command in commands]

    assert [each.returncode for each in ended] == [0, 0], [each.stderr for each in ended]
    left = sorted(folder.iterdir())
    assert left[:-1] == old[2:]
    assert (left[-1] / "manifest.json").exists()
    assert '"event": "pruned"' in ended[1].stdout + ended[1].stderr
    shutil.rmtree(folder)
