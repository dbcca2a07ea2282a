"""Child processes of tests do not outlive them."""

import signal
import subprocess
import sys

import psutil
import pytest

from packages.groundwork.tests.conftest import wait_until
from packages.groundwork.tests.terraform.bound import bound

STARTS = "import subprocess, sys; print(subprocess.Popen(sys.argv[1:]).pid, flush=True); input()"


@pytest.mark.setpriv
def test_it_ends_where_who_has_started_it_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTS, *bound("sleep", "60")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as starter:  # fmt: skip
        assert starter.stdout
        started = psutil.Process(int(starter.stdout.readline()))
        wait_until(lambda: started.name() == "sleep")

        starter.send_signal(signal.SIGKILL)

    wait_until(lambda: has_ended(started))


def has_ended(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
