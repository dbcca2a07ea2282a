"""Child processes and console output: exit codes are never lost, and Ctrl-C leaves no process behind."""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from groundwork.system import paths
from groundwork.system.environment import filtered
from groundwork.system.errors import Exit

INTERRUPTED = 130  # exit code of a shell after Ctrl-C
BROKEN_PIPE = 141  # exit code of a shell after SIGPIPE
INTERRUPT = signal.SIGINT if os.name == "posix" else signal.SIGTERM  # Windows cannot send Ctrl-C to one process
GRACE_SECONDS = 3


def say(message: str) -> None:
    """Print to standard output. Raises Exit if the reader is gone, as in `inv config.show | head -n 1`."""
    with exit_on_broken_pipe():
        print(message)


@contextmanager
def exit_on_broken_pipe() -> Iterator[None]:
    """Raise Exit if the reader of standard output ends early."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would print an error at exit
        raise Exit(code=BROKEN_PIPE) from None


def note(message: str) -> None:
    """Print a message to standard error."""
    print(message, file=sys.stderr, flush=True)


def prompt(question: str) -> str:
    """Return what the user types; an empty string if standard input is no terminal."""
    if not sys.stdin.isatty():
        return ""
    try:
        return input(question).strip()
    except EOFError:  # Ctrl-D
        return ""


def python(module: str, *arguments: str) -> list[str]:
    """Return the command line for a module, with this environment's interpreter instead of the one on PATH."""
    return [sys.executable, "-m", module, *arguments]


def environment(values: Mapping[str, str]) -> dict[str, str]:
    """Return the filtered environment with `values`, and with this virtual environment first on PATH."""
    binaries = os.path.dirname(sys.executable)  # noqa: PTH120  resolving the link would leave the environment
    return {**filtered(os.environ), **values, "PATH": os.pathsep.join([binaries, os.environ.get("PATH", "")])}


def run(command: Sequence[str], values: Mapping[str, str], stdin: str | None = None) -> None:
    """Run a command in the user's terminal, in the project's root folder.

    Raises Exit with the command's exit code and no message, since the command has printed its error.
    """
    finished = subprocess.run(
        command, cwd=paths.ROOT, env=environment(values), input=stdin, text=stdin is not None, check=False
    )
    if finished.returncode:
        raise Exit(code=exit_code(finished.returncode))


def read(
    command: Sequence[str],
    values: Mapping[str, str] | None = None,
    stdin: str | None = None,
    seconds: float | None = None,
) -> str:
    """Return the standard output. Raises Exit with the command's error message if it fails, or after `seconds`."""
    try:
        finished = subprocess.run(
            command,
            cwd=paths.ROOT,
            env=environment(values or {}),
            input=stdin,
            text=True,
            capture_output=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise Exit(f"{shlex.join(command[:3])} … did not end within {seconds:g} s", code=1) from None
    if finished.returncode:
        message = finished.stderr.strip() or finished.stdout.strip()  # Alembic prints errors to standard output
        raise Exit(message, code=exit_code(finished.returncode))
    return finished.stdout


def serve(
    command: Sequence[str],
    values: Mapping[str, str],
    stdin: str | None = None,
    folder: Path | None = None,
    grace_seconds: float = GRACE_SECONDS,
) -> None:
    """Run in the user's terminal until the command ends or the user ends it; the command is gone on return.

    It runs in the project's root folder, or in `folder`.

    The terminal sends Ctrl-C to the command directly. A command that keeps running, because only this process got
    the signal, is stopped by `end`.
    """
    stop = partial(end, grace_seconds=grace_seconds)
    source = subprocess.PIPE if stdin is not None else None
    with started_process(command, stop, cwd=folder or paths.ROOT, env=environment(values), stdin=source) as process:
        if stdin is not None and process.stdin is not None:
            process.stdin.write(stdin)
            process.stdin.close()
        code = process.wait()
    if code:
        raise Exit(code=exit_code(code))


def stream_lines(command: Sequence[str], values: Mapping[str, str], stdin: str) -> Iterator[str]:
    """Yield output lines as they appear. The command is stopped when the iterator is closed."""
    with tempfile.TemporaryFile("w+") as source:
        source.write(stdin)
        source.seek(0)
        options: dict[str, Any] = {"cwd": paths.ROOT, "env": environment(values)}
        with started_process(command, end, **options, stdin=source, stdout=subprocess.PIPE) as process:
            yield from process.stdout or ()
            end(process)


@contextmanager
def started_process(
    command: Sequence[str], end: Callable[["subprocess.Popen[str]"], None], **options: Any
) -> Iterator["subprocess.Popen[str]"]:
    """Start a process with the options of subprocess.Popen; call `end` if the start or the block is interrupted."""
    process = None
    try:
        with defer_signals():
            process = subprocess.Popen(command, text=True, **options)
        yield process
    except BaseException:
        if process is not None:
            end(process)
        raise


def execute(command: str, values: Mapping[str, str]) -> None:
    """Run the user's command line in the project's root folder; never return."""
    if os.name == "posix":  # replace this process: the command gets the terminal, the signals and the exit code
        os.chdir(paths.ROOT)
        os.execvpe("sh", ["sh", "-c", command], environment(values))  # noqa: S606  the user's own command line
    finished = subprocess.run(command, shell=True, cwd=paths.ROOT, env=environment(values), check=False)  # noqa: S602  as above
    raise Exit(code=finished.returncode)


def end(process: "subprocess.Popen[str]", grace_seconds: float = GRACE_SECONDS) -> None:
    """Wait for an interrupted command; if it takes too long, interrupt it, terminate it, then kill it.

    The interrupt comes first, since pytest ends the server of its run after Ctrl-C, but not after SIGTERM.
    `grace_seconds` is the wait after each signal.
    """
    interrupt = partial(process.send_signal, INTERRUPT)
    escalation = (
        (GRACE_SECONDS, interrupt),
        (grace_seconds, process.terminate),
        (grace_seconds, process.kill),
    )
    with uninterrupted():
        for seconds, send_signal in escalation:
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                send_signal()
            else:
                return
        process.wait()


@contextmanager
def interruptible() -> Iterator[None]:
    """Treat SIGTERM and SIGHUP like Ctrl-C: the block cleans up, and the task exits with code 130."""
    with _signal_handlers(_interrupt, _TERMINATION_SIGNALS):
        try:
            yield
        except KeyboardInterrupt:
            raise Exit(code=INTERRUPTED) from None


@contextmanager
def on_interrupt(message: str) -> Iterator[None]:
    """Raise Exit with the message, which tells the user how to continue, if Ctrl-C interrupts the block."""
    try:
        yield
    except KeyboardInterrupt:
        raise Exit(message, code=INTERRUPTED) from None


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ignore signals during the block: a second Ctrl-C must not leave a server behind."""
    with _signal_handlers(signal.SIG_IGN, _ALL_SIGNALS):
        yield


@contextmanager
def defer_signals() -> Iterator[None]:
    """Deliver signals after the block: nothing could end a process that is only half started.

    Ignored signals stay ignored, also for processes that the block starts.
    """
    received: list[int] = []
    handled = [each for each in _ALL_SIGNALS if signal.getsignal(each) != signal.SIG_IGN]
    try:
        with _signal_handlers(lambda number, _: received.append(number), handled):
            yield
    finally:
        for number in received:
            signal.raise_signal(number)


@contextmanager
def _signal_handlers(handler: Any, numbers: Iterable[signal.Signals]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)


def exit_code(returncode: int) -> int:
    """Return 128 plus the signal number for a process ended by a signal, as shells do."""
    return returncode if returncode >= 0 else 128 - returncode


_TERMINATION_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
_ALL_SIGNALS = [signal.SIGINT, *_TERMINATION_SIGNALS]


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
