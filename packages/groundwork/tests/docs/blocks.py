"""Shell blocks of a page, with the comment in the page's source on the line above each.

<!-- not run: REASON -->                    the machine lacks a requirement; test_blocks.py counts these blocks
<!-- not run from here on: REASON -->       the same for this block and all later ones
<!-- run by packages/groundwork/tests/production/test_releases.py -->  this file calls the tasks of the block
<!-- run by .ci/newcomer -->                this script runs the block, which takes too long for the suite
<!-- goes on, once it said: TEXT -->        the command keeps running; before a second start, Ctrl-C ends it

<!-- file: PATH -->                         the block, in any language, is the content of the file
<!-- in PATH, below: LINE -->               insert the block below the first line that begins like this
<!-- in PATH, above: LINE -->               insert it above this line
<!-- in PATH, instead of: LINE -->          replace this line
<!-- in PATH, below each: LINE -->          insert it below every matching line
<!-- in PATH PATH, after: TEXT -->          insert it after this text, in the same line; here in two files
<!-- at the end of PATH -->                 append it after two empty lines
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from packages.groundwork.tests.docs import pages

FROM_HERE_ON = "not run from here on"
GATE = ".ci/newcomer"
NOT_RUN = ("not run", FROM_HERE_ON)
EDITS = ("in", "at the end of")
LANGUAGES = ("console", "sh", "bash", "shell")
NOTES = (FROM_HERE_ON, "not run", "run by", "goes on, once it said", "the log says", "file", *EDITS)
NOTE = re.compile(rf"({'|'.join(NOTES)})\b:? ?(.*?) ?", re.DOTALL)
COMMENT = re.compile(rf"<!-- {NOTE.pattern}-->\s*$", re.DOTALL)
# A command continues after a backslash, and in the indented lines below `do`.
PROMPT = re.compile(r"^\$ (.*; do\n(?:  .*\n)*?  done|(?:.*\\\n)*.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Command:
    typed: str
    shown: str
    """Output below the command; empty if the page shows none."""


@dataclass(frozen=True)
class Block:
    section: str
    """Heading of level 2 above the block; empty at the top of the page."""
    line: int
    note: str
    """Kind of the comment above, such as `not run` or `file`; empty without one."""
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
        """Return the paths of an edit, the position of the block, and the text that it is relative to."""
        if self.note == "at the end of":
            return [self.detail], self.note, ""
        paths, where, what = re.split(r", (above|below each|below|instead of|after): ", self.detail)
        return paths.split(), where, what

    def apply(self, folder: Path) -> None:
        """Write the file in the folder, or make the edit."""
        if self.note == "file":
            path = folder / self.detail
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.text, "utf-8")
            return
        paths, where, what = self.edit()
        for path in (folder / each for each in paths):
            path.write_text(_edited(path.read_text("utf-8"), self.text, where, what), "utf-8")

    def is_done(self, folder: Path) -> bool:
        """Return whether the folder already has the file or the lines of this block."""
        if self.note == "file":
            return (folder / self.detail).exists()
        return self.note in EDITS and any(
            self.text.strip() in (folder / path).read_text("utf-8") for path in self.edit()[0]
        )


def of(page: Path) -> Iterator[Block]:
    """Yield the blocks for a shell or a file, in the order of the page."""
    note = detail = section = ""
    heading = False
    for token in pages.tokens(page):
        if heading:
            section = token.content
        heading = token.type == "heading_open" and token.tag == "h2"
        if token.type == "fence" and token.map is not None:
            commands = list(_commands(token.info, token.content))
            if commands or note in ("file", *EDITS, "the log says"):
                yield Block(section, token.map[0] + 1, note, detail, token.content, commands)
        found = COMMENT.search(token.content) if token.type == "html_block" else None
        if note != FROM_HERE_ON:
            note, detail = found.groups() if found else ("", "")


def _edited(text: str, block: str, where: str, what: str) -> str:
    if where == "at the end of":
        return f"{text}\n\n{block}"
    if where == "after":
        assert what in text, what
        return text.replace(what, what + block.rstrip("\n"), 1)
    lines = text.splitlines(keepends=True)
    found = [number for number, line in enumerate(lines) if line.strip().startswith(what)]
    assert found, what
    begin, end = {"above": (0, 0), "below": (1, 1), "below each": (1, 1), "instead of": (0, 1)}[where]
    for number in reversed(found if where == "below each" else found[:1]):
        lines[number + begin : number + end] = [block]
    return "".join(lines)


def _commands(language: str, text: str) -> Iterator[Command]:
    """Yield the commands of a block. In `console`, prompts mark commands, and output follows; others have no output."""
    if language == "console":
        _, *parts = PROMPT.split(text)
        yield from map(Command, parts[::2], parts[1::2])
    elif language in LANGUAGES:
        yield Command(text, "")
