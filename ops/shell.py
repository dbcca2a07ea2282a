"""Running commands so that their exit code is never lost and Ctrl-C leaves nothing behind."""

import os
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

from invoke.exceptions import Exit

from ops import project
from ops.environment import decided

INTERRUPTED = 130  # what a shell reports for a command that Ctrl-C ended
BROKEN_PIPE = 141  # likewise for one that writes where nobody reads
INTERRUPT = signal.SIGINT if os.name == "posix" else signal.SIGTERM  # Windows sends a process no Ctrl-C alone
SECONDS_TO_END_BY_ITSELF = 3


def say(message: str) -> None:
    """Raises Exit where nobody reads any more, as in `inv config.show | head -n 1`."""
    with reader_may_leave():
        print(message)


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Raises Exit where what is printed meanwhile is not read to its end."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would complain of it at its end
        raise Exit(code=BROKEN_PIPE) from None


def note(message: str) -> None:
    """What a task remarks beside its output."""
    print(message, file=sys.stderr, flush=True)


def answer(question: str) -> str:
    """What the user types; empty where there is nobody to ask."""
    if not sys.stdin.isatty():
        return ""
    try:
        return input(question).strip()
    except EOFError:  # Ctrl-D
        return ""


def python(module: str, *arguments: str) -> list[str]:
    """A module's command line, run by the interpreter of this environment whatever PATH says."""
    return [sys.executable, "-m", module, *arguments]


def environment(values: Mapping[str, str]) -> dict[str, str]:
    """Return what a command finds: `ops.environment`, `values`, and this virtual environment first on PATH."""
    binaries = os.path.dirname(sys.executable)  # noqa: PTH120  a Path would follow the link out of the environment
    return {**decided(os.environ), **values, "PATH": os.pathsep.join([binaries, os.environ.get("PATH", "")])}


def run(command: Sequence[str], values: Mapping[str, str], stdin: str | None = None) -> None:
    """Run to the end in the user's terminal, at the root of the project.

    Raises Exit with the command's own code when it fails: what failed has said why.
    """
    finished = subprocess.run(
        command, cwd=project.ROOT, env=environment(values), input=stdin, text=stdin is not None, check=False
    )
    if finished.returncode:
        raise Exit(code=exit_code(finished.returncode))


def read(command: Sequence[str], values: Mapping[str, str] | None = None, stdin: str | None = None) -> str:
    """What the command prints. Raises Exit with its complaint when it fails."""
    finished = subprocess.run(
        command,
        cwd=project.ROOT,
        env=environment(values or {}),
        input=stdin,
        text=True,
        capture_output=True,
        check=False,
    )
    if finished.returncode:
        complaint = finished.stderr.strip() or finished.stdout.strip()  # Alembic's is on the second
        raise Exit(complaint, code=exit_code(finished.returncode))
    return finished.stdout


def serve(
    command: Sequence[str],
    values: Mapping[str, str],
    stdin: str | None = None,
    folder: Path | None = None,
    seconds_to_end: float = SECONDS_TO_END_BY_ITSELF,
) -> None:
    """Run in the user's terminal until the command ends or the user ends it; the command is gone on return.

    At the root of the project, or in the folder that is given.

    Ctrl-C reaches the command from the terminal itself. One that does not end by then, since the signal was
    sent to this process alone, is told to.
    """
    ending = partial(end, seconds_to_end=seconds_to_end)
    source = subprocess.PIPE if stdin is not None else None
    with started(command, ending, cwd=folder or project.ROOT, env=environment(values), stdin=source) as process:
        if stdin is not None and process.stdin is not None:
            process.stdin.write(stdin)
            process.stdin.close()
        code = process.wait()
    if code:
        raise Exit(code=exit_code(code))


def lines(command: Sequence[str], values: Mapping[str, str], stdin: str) -> Iterator[str]:
    """What the command says, as it says it; it is gone when the iterator is."""
    with tempfile.TemporaryFile("w+") as given:
        given.write(stdin)
        given.seek(0)
        place = {"cwd": project.ROOT, "env": environment(values)}
        with started(command, end, **place, stdin=given, stdout=subprocess.PIPE) as process:
            yield from process.stdout or ()
            end(process)


@contextmanager
def started(
    command: Sequence[str], end: Callable[["subprocess.Popen[str]"], None], **options: Any
) -> Iterator["subprocess.Popen[str]"]:
    """With subprocess.Popen's options; ended by `end` where the block, or already the start, is cut short."""
    process = None
    try:
        with unbroken():
            process = subprocess.Popen(command, text=True, **options)
        yield process
    except BaseException:
        if process is not None:
            end(process)
        raise


def execute(command: str, values: Mapping[str, str]) -> None:
    """The user's own command line, at the root of the project; does not return."""
    if os.name == "posix":  # in place of this process: the terminal, the signals and the exit code are the command's
        os.chdir(project.ROOT)
        os.execvpe("sh", ["sh", "-c", command], environment(values))  # noqa: S606  the user's own command line
    finished = subprocess.run(command, shell=True, cwd=project.ROOT, env=environment(values), check=False)  # noqa: S602  likewise
    raise Exit(code=finished.returncode)


def end(process: "subprocess.Popen[str]", seconds_to_end: float = SECONDS_TO_END_BY_ITSELF) -> None:
    """Wait for a command that was interrupted; where it takes too long, interrupt it, terminate it, then kill it.

    After Ctrl-C pytest ends the server of its run, after SIGTERM nothing does. `seconds_to_end` is what it may take
    once it has been told.
    """
    interrupt = partial(process.send_signal, INTERRUPT)
    insisting = (
        (SECONDS_TO_END_BY_ITSELF, interrupt),
        (seconds_to_end, process.terminate),
        (seconds_to_end, process.kill),
    )
    with uninterrupted():
        for seconds, insist in insisting:
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                insist()
            else:
                return
        process.wait()


@contextmanager
def interruptible() -> Iterator[None]:
    """End like Ctrl-C on SIGTERM and SIGHUP too: what was started inside is ended on the way out, exit code 130."""
    with _handling(_interrupt, _ENDING):
        try:
            yield
        except KeyboardInterrupt:
            raise Exit(code=INTERRUPTED) from None


@contextmanager
def interrupted(message: str) -> Iterator[None]:
    """Says how to go on, where Ctrl-C ends what is inside."""
    try:
        yield
    except KeyboardInterrupt:
        raise Exit(message, code=INTERRUPTED) from None


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Finish what is inside, however impatient the user: a second Ctrl-C must not leave a server behind."""
    with _handling(signal.SIG_IGN, _ALL):
        yield


@contextmanager
def unbroken() -> Iterator[None]:
    """Let Ctrl-C wait for the end of what is inside: a process that is only half started is nobody's to end.

    What is ignored stays so, for whoever is started inside too.
    """
    came: list[int] = []
    heard = [each for each in _ALL if signal.getsignal(each) != signal.SIG_IGN]
    try:
        with _handling(lambda number, _: came.append(number), heard):
            yield
    finally:
        for number in came:
            signal.raise_signal(number)


@contextmanager
def _handling(handler: Any, numbers: Iterable[signal.Signals]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)


def exit_code(returncode: int) -> int:
    """The shell's convention for a process that a signal ended: 128 and the signal's number."""
    return returncode if returncode >= 0 else 128 - returncode


_ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
_ALL = [signal.SIGINT, *_ENDING]


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
