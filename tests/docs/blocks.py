"""The shell blocks of a page, and what its source says of each: a comment in the line above.

<!-- not run: REASON -->                    what it needs is not here; the test of the page lists it
<!-- not run from here on: REASON -->       likewise, and so are all that follow
<!-- run by tests/ops/test_prod.py -->      that module calls the tasks of the block
<!-- goes on, once it said: TEXT -->        the command serves until the page is done

<!-- file: PATH -->                         the block, of whatever language, is the file
<!-- in PATH, below: LINE -->               or stands in it below the first line that begins so
<!-- in PATH, above: LINE -->               or above it
<!-- in PATH, instead of: LINE -->          or in its place
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs import pages

FROM_HERE_ON = "not run from here on"
NOT_RUN = ("not run", FROM_HERE_ON)
LANGUAGES = ("console", "sh", "bash", "shell")
NOTES = (FROM_HERE_ON, "not run", "run by", "goes on, once it said", "the log says", "file", "in")
COMMENT = re.compile(rf"<!-- ({'|'.join(NOTES)})\b:? ?(.*?) ?-->\s*$", re.DOTALL)
# A command goes on in the next line after a backslash, and in the lines that are indented below `do`.
PROMPT = re.compile(r"^\$ (.*; do\n(?:  .*\n)*?  done|(?:.*\\\n)*.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Command:
    typed: str
    shown: str
    """Below it; empty where the page shows nothing of what it says."""


@dataclass(frozen=True)
class Block:
    line: int
    note: str
    """What the comment above is about: `not run`, `file` and so on; empty without one."""
    detail: str
    text: str
    commands: list[Command] = field(default_factory=list)


def of(page: Path) -> Iterator[Block]:
    """Those that a shell runs, and those that are put into a file, in the order of the page."""
    note = detail = ""
    for token in pages.tokens(page):
        if token.type == "fence" and token.map is not None:
            commands = list(_commands(token.info, token.content))
            if commands or note in ("file", "in", "the log says"):
                yield Block(token.map[0] + 1, note, detail, token.content, commands)
        found = COMMENT.search(token.content) if token.type == "html_block" else None
        if note != FROM_HERE_ON:
            note, detail = found.groups() if found else ("", "")


def _commands(language: str, text: str) -> Iterator[Command]:
    """In `console`, a command follows a prompt and is followed by what it said; elsewhere there are commands alone."""
    if language == "console":
        _, *parts = PROMPT.split(text)
        yield from map(Command, parts[::2], parts[1::2])
    elif language in LANGUAGES:
        yield Command(text, "")
