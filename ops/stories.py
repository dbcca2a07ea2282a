"""Which scenarios there are, as their files tell: to list them, the app need not be imported."""

import ast
import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path

from invoke.exceptions import Exit

from ops import project

FOLDER = project.ROOT / "scenarios"


@dataclass(frozen=True)
class Story:
    name: str
    line: str
    size: int | None
    """By default; None for one that is always the same size."""

    @property
    def module(self) -> Path:
        return FOLDER / f"{self.name}.py"


def every() -> list[Story]:
    return [_read(path) for path in sorted(FOLDER.glob("[!_]*.py"))]


def find(name: str) -> Story:
    """Raises Exit with the names that there are."""
    known = {story.name: story for story in every()}
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known, n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    raise Exit(f"there is no scenario {name!r}: scenarios/ has {', '.join(known)}{meant}", code=1)


def fingerprint(story: Story, size: int | None, seed: int) -> str:
    """Of all that a loaded scenario is made from: its code, the migrations, and what it was asked for."""
    digest = hashlib.sha256(f"{story.name} {size} {seed}".encode())
    sources = [story.module, *FOLDER.glob("_*.py"), *FOLDER.glob("loading/*.py"), *project.ROOT.glob("alembic/**/*.py")]
    for path in sorted(sources):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _read(path: Path) -> Story:
    module = ast.parse(path.read_text("utf-8"))
    sizes = [
        node.value.value
        for node in module.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, int)
        and any(isinstance(target, ast.Name) and target.id == "SIZE" for target in node.targets)
    ]
    line = (ast.get_docstring(module) or "").partition("\n")[0]
    return Story(path.stem, line, next(iter(sizes), None))
