"""The shell blocks of a page, and what the page's source says about each in a comment on the line above it.

<!-- not run: REASON -->                    this machine lacks what it needs; test_blocks.py lists these blocks
<!-- not run from here on: REASON -->       the same for this block and all that follow
<!-- run by tests/ops/test_prod.py -->      that file calls the tasks of the block
<!-- run by .ci/newcomer -->                it types this block too, which takes longer than the suite has time for
<!-- goes on, once it said: TEXT -->        the command keeps running; typed again, it is ended by Ctrl-C first

<!-- file: PATH -->                         the block, in whatever language, is the content of the file
<!-- in PATH, below: LINE -->               the block is inserted below the first line that begins like this
<!-- in PATH, above: LINE -->               above it
<!-- in PATH, instead of: LINE -->          in its place
<!-- in PATH, below each: LINE -->          below every such line
<!-- in PATH PATH, after: TEXT -->          after this text, in the same line; here in two files
<!-- at the end of PATH -->                 after two empty lines
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.docs import pages

FROM_HERE_ON = "not run from here on"
GATE = ".ci/newcomer"
NOT_RUN = ("not run", FROM_HERE_ON)
EDITS = ("in", "at the end of")
LANGUAGES = ("console", "sh", "bash", "shell")
NOTES = (FROM_HERE_ON, "not run", "run by", "goes on, once it said", "the log says", "file", *EDITS)
NOTE = re.compile(rf"({'|'.join(NOTES)})\b:? ?(.*?) ?", re.DOTALL)
COMMENT = re.compile(rf"<!-- {NOTE.pattern}-->\s*$", re.DOTALL)
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

    @property
    def is_for_the_gate(self) -> bool:
        return self.note == "run by" and self.detail.startswith(GATE)

    def in_the_gate(self) -> "Block":
        """Return the block with the note that follows `run by .ci/newcomer`, if any."""
        found = NOTE.fullmatch(self.detail.removeprefix(GATE).lstrip(", "))
        note, detail = found.groups() if found else ("", "")
        return replace(self, note=note, detail=detail)

    def edit(self) -> tuple[list[str], str, str]:
        """Return the paths of an edit, where in them the block goes, and next to what."""
        if self.note == "at the end of":
            return [self.detail], self.note, ""
        paths, where, what = re.split(r", (above|below each|below|instead of|after): ", self.detail)
        return paths.split(), where, what

    def is_done(self, folder: Path) -> bool:
        """Return whether the folder already has the file or the lines that this block tells the reader to write."""
        if self.note == "file":
            return (folder / self.detail).exists()
        return self.note in EDITS and any(
            self.text.strip() in (folder / path).read_text("utf-8") for path in self.edit()[0]
        )


def of(page: Path) -> Iterator[Block]:
    """Those that a shell runs, and those that are put into a file, in the order of the page."""
    note = detail = ""
    for token in pages.tokens(page):
        if token.type == "fence" and token.map is not None:
            commands = list(_commands(token.info, token.content))
            if commands or note in ("file", *EDITS, "the log says"):
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
