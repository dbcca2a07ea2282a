"""Source of the documentation pages."""

from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from groundwork.system import paths

DOCS = paths.ROOT / "docs"
README = paths.ROOT / "README.md"


def every() -> list[Path]:
    return [README, *sorted(DOCS.rglob("*.md"))]


def tokens(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8"))


def links(page: Path) -> Iterator[str]:
    """Yield the targets of links and pictures within the repository, without fragments."""
    for token in tokens(page):
        for child in token.children or ():
            target = str(child.attrs.get("href") or child.attrs.get("src") or "").partition("#")[0]
            if target and "://" not in target:
                yield target
