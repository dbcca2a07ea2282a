"""Simulated reader who types the commands of pages in a clone without a Docker Engine and compares the output.

`python -m packages.groundwork.tests.docs.newcomer CHECKOUT FOLDER PAGE…` types pages of CHECKOUT into a clone of its
commit. It leaves the clone in FOLDER/shop, where `.ci/newcomer` and `.ci/copy` then run the tests.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from groundwork.system import environment, ports
from groundwork.system import paths as project
from groundwork.testing import run
from packages.groundwork.tests.conftest import Clone
from packages.groundwork.tests.docs import blocks, pages
from packages.groundwork.tests.docs.blocks import Block, Command
from packages.groundwork.tests.docs.shell import Shell

IN_A_ROW = [pages.DOCS / f"{name}.md" for name in ("tutorial", "day-one", "add-a-model", "add-a-page")]
"""Pages that build on each other. `.ci/newcomer` types them in one clone and runs the whole suite there."""

PORTS = ("5000", "5001", "5432")  # as shown in the pages
SECONDS_TO_LOG = 60
SERVES = "Debugger PIN"  # last line of the development server at its start and each reload
HOME = "/home/you/groundwork"
COLOUR = re.compile(r"\x1b\[[\d;]*m")

# Values that differ in every run, which are compared by their shape.
VARYING = {
    "moment": r"\d{4}-\d\d-\d\d[T ]\d\d[:-]\d\d(?:[:-]\d\d)?(?:\.\d+)?(?:Z|\+00:00)?",
    "day": r"\d{4}_\d\d_\d\d",
    "token": r"token_[\w-]+|token_…",
    "digest": r"\b[0-9a-f]{32}\b",
    "revision": r"(?<![0-9a-z])(?=[0-9a-f]*\d)[0-9a-f]{12}(?![0-9a-z])",
    "PIN": r"\b\d{3}-\d{3}-\d{3}\b",
    "size": r"\b\d+ kB",
    "time": r"\b[\d.]+ ?m?s\b",
}


class Newcomer:
    def __init__(self, clone: Clone) -> None:
        self.clone, self.folder = clone, clone.folder
        self.ports = [str(ports.any_free()) for _ in PORTS]
        self._take_ports(self.ports)
        _lend_environment(self.folder / ".venv")
        _lend_migrated_servers(self.folder / ".local")
        (self.folder.parent / ".curlrc").write_text(
            "silent\nshow-error\n"
        )  # as in a terminal, where curl prints no progress output
        self.shell = Shell(self.folder, self._environment())
        self.shell.type(
            "git init --quiet && git checkout --quiet -B main && git add --all && git commit --quiet --message Begin"
        )

    def follow(self, block: Block) -> Iterator[str]:
        """Follow the block and yield each difference from the page."""
        if block.note == "file":
            block.apply(self.folder)
        elif block.note in blocks.EDITS:
            self._edit(block)
        elif block.note == "goes on, once it said":
            (command,) = block.commands
            yield from _compared(command, self._as_shown(self.shell.leave(self._typed(command), block.detail)), 0)
        elif block.note == "the log says":
            yield from self._missing_in_the_log(block.text.splitlines())
        elif not block.note:
            for command in block.commands:
                said, code = self.shell.type(self._typed(command))
                yield from _compared(command, self._as_shown(said), code)

    def _edit(self, block: Block) -> None:
        started = self._log().count(SERVES)
        block.apply(self.folder)
        if started and any(path.startswith("app/") for path in block.edit()[0]):
            self._wait_for(lambda: self._log().count(SERVES) > started)

    def _environment(self) -> dict[str, str]:
        who = {"NAME": "You", "EMAIL": "you@example.com"}
        return {
            "PATH": os.environ["PATH"],
            "COLUMNS": "150",
            "CURL_HOME": str(self.folder.parent),
            "DOCKER_HOST": "unix:///nowhere",
            **{f"GIT_{role}_{name}": value for role in ("AUTHOR", "COMMITTER") for name, value in who.items()},
        }

    def _missing_in_the_log(self, lines: list[str]) -> Iterator[str]:
        missing = [line for line in lines if not self._wait_for(partial(self._is_in_the_log, line))]
        if missing:
            yield f"the log should say\n{missing}\nbut it says\n{self._log()}"

    def _is_in_the_log(self, line: str) -> bool:
        return any(re.fullmatch(_pattern(line), shape(said)) for said in self._log().splitlines())

    def _wait_for(self, happened: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + SECONDS_TO_LOG
        while not happened() and time.monotonic() < deadline:
            time.sleep(0.1)
        return happened()

    def _log(self) -> str:
        return self._as_shown("".join(path.read_text("utf-8") for path in self.shell.logs()))

    def _typed(self, command: Command) -> str:
        text = command.typed
        for theirs, ours in zip(PORTS, self.ports, strict=True):
            text = re.sub(rf"(?<=[:=]){theirs}\b", ours, text)
        return re.sub(r"(?<![\w/.])inv ", "./inv ", text)  # as in an activated environment

    def _as_shown(self, said: str) -> str:
        for theirs, ours in zip(PORTS, self.ports, strict=True):
            said = said.replace(ours, theirs)
        return COLOUR.sub("", said).replace(str(self.folder), HOME)

    def give_ports_back(self) -> None:
        self._take_ports(PORTS)

    def _take_ports(self, numbers: Sequence[str]) -> None:
        path = self.folder / "config" / "development.json"
        text = path.read_text("utf-8")
        for name, number in {"FLASK_RUN_PORT": numbers[0], "POSTGRES_PORT": numbers[2]}.items():
            text = re.sub(rf'(?<="{name}": )\d+', number, text)
        path.write_text(text, "utf-8")


def differences(somebody: Newcomer, pages_in_order: Iterable[Path], *, in_the_gate: bool = False) -> Iterator[str]:
    for page in pages_in_order:
        for block in blocks.of(page):
            if in_the_gate and block.is_for_the_gate:
                block = block.in_the_gate()
            for difference in somebody.follow(block):
                yield f"{project.display(page)}:{block.line}: {difference}"


@contextmanager
def arrived(clone: Clone) -> Iterator[Newcomer]:
    newcomer = Newcomer(clone)
    try:
        yield newcomer
    finally:
        newcomer.shell.end()
        newcomer.clone.inv("scenario.down", "--all")
        left = newcomer.clone.processes()
        for process in left:
            process.kill()
    assert not left, "something was left running"


def shape(text: str) -> str:
    """Return the text with placeholders for varying parts and with normalized whitespace."""
    for name, pattern in VARYING.items():
        text = re.sub(pattern, f"<{name}>", text)
    return " ".join(text.split())


def _compared(command: Command, said: str, code: int) -> Iterator[str]:
    shown = command.shown.strip()
    if shown and not re.fullmatch(_pattern(shown), shape(said)):
        yield f"$ {command.typed}\nthe page shows\n{shown}\nbut it says\n{said.strip()}\n"
    elif code and not shown.strip("… \n"):
        yield f"$ {command.typed}\nexits with {code}, and says\n{said.strip()}\n"


def _pattern(shown: str) -> str:
    """`…` stands for whatever is not shown."""
    return ".*".join(re.escape(part.strip()) for part in shape(shown).split("…"))


def _lend_migrated_servers(local: Path) -> None:
    """Link the migrated servers of this checkout and copy their password. New ones in the clone stay there."""
    (local / "cache" / "postgres").mkdir(parents=True)
    for path in (project.LOCAL / "cache" / "postgres").glob("*.tar"):
        (local / "cache" / "postgres" / path.name).symlink_to(path)
    if (secrets := project.LOCAL / "secrets" / "testing").exists():
        shutil.copytree(secrets, local / "secrets" / "testing")


def _lend_environment(venv: Path) -> None:
    """Lend this environment to the clone, so that `./inv` installs nothing. .ci/smoke covers the installation."""
    venv.mkdir()
    for path in Path(sys.prefix).iterdir():
        (venv / path.name).symlink_to(path)
    for name in ("made-as", "uv.lock"):
        (venv / name).unlink(missing_ok=True)
    (venv / "made-as").write_text(f"{venv}\n", "utf-8")
    shutil.copy(venv.parent / "uv.lock", venv / "uv.lock")


def main(checkout: Path, folder: Path, *names: str) -> None:
    environment.enter()
    run.hear_ctrl_c()
    folder.mkdir(exist_ok=True)
    git = ["git", "clone", "--quiet", str(checkout), str(folder / "shop")]
    subprocess.run(git, check=True)
    with arrived(Clone(folder / "shop", dict(os.environ))) as somebody:
        typed = [checkout / "docs" / f"{name}.md" for name in names]
        found = list(differences(somebody, typed, in_the_gate=True))
        somebody.give_ports_back()
    if found:
        raise SystemExit("\n".join(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
