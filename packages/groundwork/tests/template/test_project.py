"""A project that `copier copy` makes from template/."""

import ast
import re
import sys
from pathlib import Path

import pytest

from packages.groundwork.tests.template.conftest import Copy, files, output

PACKAGE = "packages/groundwork/"
GENERATED = ("uv.lock", "openapi.json")
NONE, AWS = {"name": "corner-shop"}, {"name": "corner-shop", "cloud": "aws"}
MOST = {"none": (100, 4500), "aws": (130, 6000)}
"""Files and lines that a team owns, by the answer to `cloud`."""
OF_THE_SHOP = re.compile(
    r"(?<![a-z])(shops?|mugs?|products?|teapots?|skus?|stock|orders?|order_lines)(?![a-z])", re.IGNORECASE
)
OTHER_USES = re.compile(r"corner.shop|\bin order\b|ORDER BY|order_by|\bin (an|the) order\b|\bout of order\b", re.IGNORECASE)


def own(folder: Path) -> list[str]:
    return [path for path in files(folder) if not path.startswith(PACKAGE) and path not in GENERATED]


@pytest.mark.parametrize("answers", [NONE, AWS], ids=MOST)
def test_a_project_is_small(made: Copy, answers: dict[str, str]) -> None:
    mine = made(**answers)

    paths = own(mine)
    lines = sum((mine / path).read_bytes().count(b"\n") for path in paths)

    most_files, most_lines = MOST[answers.get("cloud", "none")]
    assert len(paths) <= most_files
    assert lines <= most_lines


@pytest.mark.parametrize("answers", [NONE, AWS], ids=MOST)
def test_a_project_is_whole(made: Copy, answers: dict[str, str]) -> None:
    mine = made(**answers)

    output("uv", "lock", "--check", "--offline", at=mine)
    output("ruff", "check", "--no-cache", at=mine)
    output("ruff", "format", "--check", "--no-cache", at=mine)
    assert "production" in output(sys.executable, "-m", "invoke", "config.check", at=mine)
    printed = output(sys.executable, "-m", "invoke", "run", "flask --app wsgi openapi", at=mine)
    assert printed == (mine / "openapi.json").read_text("utf-8")
    assert imports_of_nothing(mine) == set()
    assert links_to_nowhere(mine) == []


def test_a_project_goes_by_its_own_name_and_does_not_speak_of_the_shop(made: Copy) -> None:
    mine = made(**AWS)

    texts = {path: (mine / path).read_text("utf-8", "ignore") for path in own(mine)}

    assert [f"{path}: {line}" for path, text in texts.items() for line in text.splitlines()
            if OF_THE_SHOP.search(OTHER_USES.sub("", line))] == []  # fmt: skip
    assert '"APPLICATION_DB": "corner-shop"' in texts["config/production.json"]
    assert texts["README.md"].startswith("# Corner Shop\n")


def test_a_project_has_the_tools_as_they_are_here_without_their_tests(source: Path, made: Copy) -> None:
    mine = made(**NONE)

    tools = {
        path
        for path in files(source)
        if path.startswith(PACKAGE) and not path.startswith((f"{PACKAGE}tests/", f"{PACKAGE}benchmarks/"))
    }
    assert {path for path in files(mine) if path.startswith(PACKAGE)} == tools
    assert [path for path in tools if (mine / path).read_bytes() != (source / path).read_bytes()] == []


def links_to_nowhere(folder: Path) -> list[str]:
    links = [
        (path, target)
        for path in own(folder)
        if path.endswith(".md")
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", (folder / path).read_text("utf-8"))
    ]
    assert links
    return [f"{path}: {target}" for path, target in links if not (folder / path).parent.joinpath(target).exists()]


def imports_of_nothing(folder: Path) -> set[str]:
    """Return the modules of the project that its modules import and that it does not have."""
    modules = [folder / path for path in own(folder) if path.endswith(".py")]
    nodes = [node for path in modules for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    imported = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    own_modules = {name for name in imported if name.partition(".")[0] in ("app", "scenarios", "tests")}
    assert own_modules
    places = {name: folder / name.replace(".", "/") for name in own_modules}
    return {name for name, place in places.items() if not (place.is_dir() or place.with_suffix(".py").is_file())}
