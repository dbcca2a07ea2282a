"""Catalog of the scenarios, parsed from their files, so that a listing does not import the app."""

import ast
import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path

from groundwork.contract import PROJECT
from groundwork.scenarios import project
from groundwork.system import paths
from groundwork.system.errors import Exit

LOADING = Path(__file__).parent / "loading"


@dataclass(frozen=True)
class ScenarioSpec:
    name: str
    summary: str
    size: int | None
    """Default size; None for a scenario of fixed size."""

    @property
    def module(self) -> Path:
        return project.FOLDER / f"{self.name}.py"


def load_all() -> list[ScenarioSpec]:
    return [_read(path) for path in project.scenario_files()]


def require() -> None:
    """Raise Exit if the project has no scenarios."""
    if not load_all():
        raise Exit(
            f"{paths.display(project.FOLDER)}/: this project has no scenarios: add the first as a module there", code=1
        )


def has(name: str) -> bool:
    return name in project.scenario_names()


def find(name: str) -> ScenarioSpec:
    """Return the scenario of this name. Raises Exit with the known names."""
    require()
    known = {spec.name: spec for spec in load_all()}
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known, n=1)
    suggestion = f"; did you mean {close[0]}?" if close else ""
    raise Exit(
        f"there is no scenario {name!r}: {paths.display(project.FOLDER)}/ has {', '.join(known)}{suggestion}", code=1
    )


def first_with_size() -> ScenarioSpec:
    """Return the first scenario of variable size, by name. Raises Exit if there is none."""
    require()
    for spec in load_all():
        if spec.size is not None:
            return spec
    raise Exit(f"{paths.display(project.FOLDER)}/: no scenario has a SIZE: choose one with --name", code=1)


def fingerprint(spec: ScenarioSpec, size: int | None, seed: int) -> str:
    """Return a hash of everything that determines the loaded data: code, migrations, size and seed."""
    digest = hashlib.sha256(f"{spec.name} {size} {seed}".encode())
    own = [spec.module, *project.FOLDER.glob("_*.py"), *paths.ROOT.glob(f"{PROJECT.migrations}/**/*.py")]
    for path in [*sorted(own), *sorted(LOADING.glob("*.py"))]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _read(path: Path) -> ScenarioSpec:
    module = ast.parse(path.read_text("utf-8"))
    sizes = [
        node.value.value
        for node in module.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, int)
        and any(isinstance(target, ast.Name) and target.id == "SIZE" for target in node.targets)
    ]
    summary = (ast.get_docstring(module) or "").partition("\n")[0]
    return ScenarioSpec(path.stem, summary, next(iter(sizes), None))
