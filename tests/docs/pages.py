"""The pages of the documentation, as a reader of their source finds them."""

from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ops import project

DOCS = project.ROOT / "docs"
README = project.ROOT / "README.md"


def every() -> list[Path]:
    return [README, *sorted(DOCS.rglob("*.md"))]


def tokens(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8"))


def links(page: Path) -> Iterator[str]:
    """Where its links and pictures lead to within the repository, without the place in the page."""
    for token in tokens(page):
        for child in token.children or ():
            target = str(child.attrs.get("href") or child.attrs.get("src") or "").partition("#")[0]
            if target and "://" not in target:
                yield target
