"""Child processes of tasks: exit codes, signals and cleanup."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil
import pytest

from groundwork.system import paths, shell
from groundwork.system.errors import Exit

ROOT = paths.ROOT
PATIENCE = 0.2
"""Grace period in seconds before a task terminates a command. No command here needs longer."""


@pytest.mark.parametrize(("script", "code"), [("exit 3", 3), ("kill -TERM $$", 143)])
def test_a_failing_command_ends_the_task_with_its_code(script: str, code: int) -> None:
    for way in (shell.run, shell.serve, shell.read):
        with pytest.raises(Exit) as failed:
            way(["sh", "-c", script], {})
        assert failed.value.code == code


def test_what_a_command_that_is_read_complains_of_is_told() -> None:
    with pytest.raises(Exit, match="no such thing"):
        shell.read(["sh", "-c", "echo no such thing >&2; exit 1"])


def test_a_command_that_is_read_for_too_long_is_ended_with_one_line() -> None:
    with pytest.raises(Exit, match=r"^sleep 600 … did not end within 0\.1 s$"):
        shell.read(["sleep", "600"], seconds=0.1)


def test_a_reader_that_leaves_early_is_no_failure_to_tell_of() -> None:
    program = "from groundwork.system import shell\nfor number in range(100_000): shell.say('a line')"

    command = f'{shlex.quote(sys.executable)} -c "{program}" | head -n 1'
    cut = subprocess.run(["sh", "-c", command], capture_output=True, text=True)

    assert cut.stdout == "a line\n"
    assert "BrokenPipe" not in cut.stderr


def test_commands_run_at_the_root_with_the_values_and_the_environments_own_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    printed = shell.read(["sh", "-c", "pwd; echo $ANSWER; command -v python"], {"ANSWER": "42"})

    assert printed.splitlines() == [str(ROOT), "42", str(Path(sys.executable).parent / "python")]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_to_the_task_alone_ends_what_it_started_and_is_exit_code_130(name: str) -> None:
    with _task('shell.serve(["sleep", "60"], {})', at_the_end='print("cleaned", flush=True)') as (task, output):
        (child,) = _children(task)

        task.send_signal(getattr(signal, name))

        assert task.wait(20) == 130
        assert output.read() == "cleaned\n"
        child.wait(10)  # raises where it is still there


def test_a_command_that_the_signal_did_not_reach_is_ended_as_by_ctrl_c() -> None:
    command = ["sh", "-c", "trap 'echo cleaned; exit' INT; while :; do sleep 0.1; done"]
    with _task(f"shell.serve({command}, {{}})", at_the_end="pass") as (task, output):
        _children(task)

        task.send_signal(signal.SIGTERM)

        assert task.wait(20) == 130
        assert output.read() == "cleaned\n"


def test_a_signal_while_a_command_is_being_started_ends_it_too() -> None:
    """The test sends a signal between the fork and the moment when the task knows the process."""
    start = """
            fork = subprocess._fork_exec
            def interrupted_fork(*arguments):
                child = fork(*arguments)
                print(child, flush=True)
                os.kill(os.getpid(), signal.SIGTERM)
                return child
            subprocess._fork_exec = interrupted_fork
            shell.serve(["sleep", "60"], {})"""
    with _task(start.strip(), at_the_end="pass") as (task, output):
        child = int(output.readline())

        assert task.wait(20) == 130
        assert not psutil.pid_exists(child)


@pytest.mark.parametrize("way", ["run", "serve"])
def test_an_impatient_second_ctrl_c_does_not_cut_the_cleaning_short(way: str) -> None:
    clean = f'shell.{way}(["sh", "-c", "echo cleaning; sleep 0.3; echo cleaned"], {{}})'
    with _task('shell.serve(["sleep", "60"], {})', at_the_end=clean) as (task, output):
        _children(task)
        os.killpg(task.pid, signal.SIGINT)
        assert output.readline() == "cleaning\n"

        os.killpg(task.pid, signal.SIGINT)

        assert task.wait(20) == 130
        assert output.read() == "cleaned\n"


@contextmanager
def _task(statement: str, at_the_end: str) -> Iterator[tuple["subprocess.Popen[str]", IO[str]]]:
    """Run a statement as a task in a new process group, as a terminal starts it."""
    program = f"""
import os, signal, subprocess, sys
from groundwork.system.errors import Exit
from groundwork.system import shell
shell.GRACE_SECONDS = {PATIENCE}
try:
    with shell.interruptible():
        try:
            {statement}
        finally:
            with shell.uninterrupted():
                {at_the_end}
except Exit as ended:
    sys.exit(ended.code)
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, process_group=0) as task:
        assert task.stdout is not None
        yield task, task.stdout


def _children(task: "subprocess.Popen[str]") -> list[psutil.Process]:
    deadline = time.monotonic() + 10
    while not (found := psutil.Process(task.pid).children()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found
