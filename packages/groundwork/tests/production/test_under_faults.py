"""`inv prod.drill` on the stack: no order is lost, and every fault is repaired."""

import re
import signal
import subprocess
from typing import Any

import pytest

from packages.groundwork.tests.conftest import wait_until
from packages.groundwork.tests.production.running_stack import Stack, versions_and_health


@pytest.mark.engine
def test_a_drill_finds_every_order_and_leaves_the_stack_as_it_was(stack: Stack) -> None:
    before = stack.ok("prod.status")

    faults = "deploy,worker,pause,proxy-worker,database-crash,database-disk"
    drilled = stack.inv("prod.drill", "--faults", faults, "--seconds", "3", "--connections", "10", "--rate", "30")

    assert drilled.returncode == 0, drilled.stdout + drilled.stderr
    assert re.search("deploy +2 new, 2 gone .* ✓", drilled.stdout)
    assert re.search("kill a worker +its process is gone .* ✓", drilled.stdout)
    assert re.search("pause a replica +it is paused .* ✓", drilled.stdout)
    assert re.search("kill a worker of the proxy +its process is gone .* ✓", drilled.stdout)
    assert re.search("kill the database +started again .* ✓", drilled.stdout)
    assert re.search("fill the database's disk +0 bytes free .* ✓", drilled.stdout)
    sent = re.search(r"([\d,]+) orders sent, ([\d,]+) acknowledged, ([\d,]+) in the database", drilled.stdout)
    assert sent
    assert sent[1] == sent[2] == sent[3] != "0"
    assert "0 acknowledged and missing, 0 there more than once" in drilled.stdout
    assert "as expected" in (stack.clone.folder / ".local" / "reports" / "drill.html").read_text("utf-8")
    assert versions_and_health(stack.ok("prod.status")) == versions_and_health(before)
    assert stack.sql("postgres", "SELECT count(*) FROM users WHERE email LIKE 'load-%'").stdout == "0\n"
    assert "drill" not in stack.sql("postgres", "SELECT spcname FROM pg_tablespace").stdout


@pytest.mark.engine
def test_a_drill_that_is_interrupted_mends_what_it_has_broken(stack: Stack) -> None:
    drill = subprocess.Popen(
        stack.clone.command("prod.drill", "--faults", "network-all", "--seconds", "5", "--connections", "5"),
        cwd=stack.clone.folder, env=stack.clone.environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    wait_until(lambda: any(not is_whole(each) for each in stack.containers("web")))

    drill.send_signal(signal.SIGINT)

    told, _ = drill.communicate()
    assert drill.returncode == 130, told
    assert all(is_whole(each) for each in stack.containers("web"))
    assert stack.sql("postgres", "SELECT count(*) FROM users WHERE email LIKE 'load-%'").stdout == "0\n"
    wait_until(lambda: stack.ask("GET", "/api/products").status == 200)


def is_whole(container: dict[str, Any]) -> bool:
    """Return whether a replica is on both of its networks."""
    return len(container["NetworkSettings"]["Networks"]) == 2
