"""Projects made by `copier copy` from this one, as it is in the working tree. .ci/copy runs the tests of one."""

import ast
import re
import sys
from pathlib import Path

import pytest

from ops import project
from tests.docs import blocks, pages
from tests.yours.conftest import Copy, files, output
from yours import make

ONE_MODEL = {"name": "as-long-as-it-may-b", "domain": "empty", "ci": "[]"}
VARIANTS = {
    "of the shop": {"name": "corner-shop"},
    "on AWS": {"name": "s3", "cloud": "aws", "ci": "[circleci, jenkins]"},
    "with one model": ONE_MODEL,
}
FOLDERS = ("app", "ops", "scenarios", "tests")
CONFIGURATION = "docs/configuration-reference.md"  # all that may be configured, whoever has a use for it
SAY_THE_NAME = {"app/config.py", "app/reference/document.py", "ops/project.py", "tests/docs/newcomer.py"}
OF_THE_TOOLS = re.compile(r"tests/(benchmarks|docs|ops|yours)\b|inv bench|benchmarks/|\byours/|copier\.yml$")
OF_THE_SHOP = re.compile(
    r"(?<![a-z])(shops?|mugs?|products?|teapots?|stoneware|walnut|skus?|stock|goods|customers?|buy|buys|buyers?|sold"
    r"|orders|(an|any|each|every|new|newest) order|order (desk|lines?)|order_(id|line|event)s?|prod\.drill)(?![a-z])",
    re.IGNORECASE,
)
OF_SOMETHING_ELSE = ("LICENSE", "uv.lock", "app/reference/static/")


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_copy_is_whole_and_goes_by_its_own_name(variant: str, made: Copy) -> None:
    answers = VARIANTS[variant]
    mine = made(**answers)

    texts = {path: (mine / path).read_text("utf-8", "ignore") for path in files(mine)}
    said = {path for path, text in texts.items() if project.NAME in text.lower()}
    assert said <= {"README.md", ".copier-answers.yml", "LICENSE"}
    assert f'"APPLICATION_DB": "{answers["name"]}"' in texts["config/production.json"]
    assert not [path for path, text in texts.items() if OF_THE_TOOLS.search(path) or OF_THE_TOOLS.search(text)]
    assert "cloud" in answers or not [path for path, text in texts.items() if is_about_the_cloud(path, text)]
    assert links_to_nowhere(mine, texts) == []
    assert imports_of_nothing(mine, texts) == set()
    output("uv", "lock", "--check", "--offline", at=mine)
    output("ruff", "check", "--no-cache", at=mine)
    output("ruff", "format", "--check", "--no-cache", at=mine)
    assert "production" in output(sys.executable, "-m", "invoke", "config.check", at=mine)


def test_a_copy_with_one_model_does_not_speak_of_the_shop(made: Copy) -> None:
    mine = made(**ONE_MODEL)

    by_readers = {block.detail for page in pages.every() for block in blocks.of(page) if block.note == "file"}
    looked_at = [path for path in files(mine) if not path.startswith(OF_SOMETHING_ELSE) and path not in by_readers]
    speaking = [
        f"{path}: {line.strip()}"
        for path in looked_at
        for line in [path, *(mine / path).read_text("utf-8").splitlines()]
        if OF_THE_SHOP.search(line)
    ]

    assert speaking == []


def test_code_says_the_name_in_few_places() -> None:
    """Elsewhere it is `ops.project.NAME`: with a shorter or longer one, a formatter would break the line otherwise."""
    paths = [path for path in files(project.ROOT) if path.endswith(".py")]
    say = {path for path in paths if project.NAME in (project.ROOT / path).read_text("utf-8").lower()}

    assert {path for path in say if not re.match("(tests/)?(benchmarks|yours)/", path)} == SAY_THE_NAME


def test_what_is_no_longer_there_to_be_deleted_is_said() -> None:
    with pytest.raises(SystemExit, match=r"tasks\.py has nothing that matches \.\*bench"):
        make.without(["name", ".*bench"], "namespace", "tasks.py")


@pytest.mark.parametrize("name", ["flask", "postgres"])
def test_a_name_that_means_something_else_is_refused(name: str) -> None:
    lock = (project.ROOT / "uv.lock").read_text("utf-8")

    with pytest.raises(SystemExit, match=f"^name: {name} is a package that the project depends on, or a database of "):
        make.refuse(name, lock)


def is_about_the_cloud(path: str, text: str) -> bool:
    return path.endswith(".md") and path != CONFIGURATION and bool(re.search("inv cloud|terraform/", text))


def links_to_nowhere(folder: Path, texts: dict[str, str]) -> list[str]:
    links = [
        (path, target)
        for path, text in texts.items()
        if path.endswith(".md")
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)
    ]
    assert links
    return [f"{path}: {target}" for path, target in links if not (folder / path).parent.joinpath(target).exists()]


def imports_of_nothing(folder: Path, texts: dict[str, str]) -> set[str]:
    """Return the modules of the project that its modules import and that it does not have."""
    nodes = [node for path, text in texts.items() if path.endswith(".py") for node in ast.walk(ast.parse(text))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            has_modules = (folder / node.module.replace(".", "/")).is_dir()
            names |= {f"{node.module}.{alias.name}" for alias in node.names} if has_modules else {node.module}
    ours = {name for name in names if name.partition(".")[0] in FOLDERS}
    assert ours
    return {name for name in ours if not is_there(folder, name)}


def is_there(folder: Path, name: str) -> bool:
    """Say whether it is a module, a package, or something that a package itself defines."""
    path = folder / name.replace(".", "/")
    package = path.parent / "__init__.py"
    defined = package.is_file() and re.search(rf"(?m)^(def |class )?{path.name}\b", package.read_text("utf-8"))
    return path.with_suffix(".py").is_file() or path.is_dir() or bool(defined)
