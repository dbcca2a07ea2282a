"""`copier copy` and `copier update`, as they are typed, of the project as it is in the working tree."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from ops import project
from tests.ops.conftest import make_clone
from yours import make

VARIANTS = {
    "of the shop": {"name": "corner-shop"},
    "on AWS": {"name": "s3", "cloud": "aws", "ci": "[circleci, jenkins]"},
    "with one model": {"name": "one-model", "domain": "empty"},
    "that nothing checks": {"name": "as-long-as-it-may-b", "ci": "[]"},
}
CHEAP = ["tests/app/test_config.py", "tests/docs/test_site.py"]
CHEAP += [f"tests/ops/test_{each}.py" for each in ("coherence", "layout", "pipelines", "schema", "updates")]
"""Tests that depend on what was left behind, where they were not themselves; .ci/copy runs all of one variant's."""
CONFIGURATION = "docs/configuration-reference.md"  # all that may be configured, whoever has a use for it
SAY_THE_NAME = {"app/config.py", "app/reference/document.py", "ops/project.py", "tests/docs/newcomer.py"}
COPIER = ["uv", "run", "--quiet", "--locked", "--only-group", "copier", "--project", str(project.ROOT), "copier"]
WHO = {f"GIT_{role}_{what}": "somebody" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
ENVIRONMENT = {**os.environ, **WHO, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
ENVIRONMENT |= {"DOCKER_HOST": "unix:///nowhere"}  # an image for the tests of each would outlive it
KEPT = {"UV_PROJECT_ENVIRONMENT": str(project.LOCAL / "copier")}
"""Of copier's own environment: to install and to compile it each time takes longer than a copy."""
Copy = Callable[..., Path]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_copy_is_whole_and_goes_by_its_own_name(variant: str, copy: Copy) -> None:
    mine = copy(**VARIANTS[variant])

    tell = {path for path in files(mine) if project.NAME in (mine / path).read_text("utf-8", "ignore").lower()}
    assert tell <= {"README.md", ".copier-answers.yml", "LICENSE"}
    assert f'"APPLICATION_DB": "{VARIANTS[variant]["name"]}"' in (mine / "config" / "production.json").read_text()
    assert not [
        path for path in files(mine) if path.startswith(("benchmarks/", "yours/", "copier", "tests/benchmarks"))
    ]
    assert links_to_nowhere(mine) == []
    assert VARIANTS[variant].get("cloud") or not of_the_cloud(mine)
    run("uv", "lock", "--check", "--offline", at=mine)
    run("ruff", "check", at=mine)
    run("ruff", "format", "--check", at=mine)
    assert "dev" in run(sys.executable, "-m", "invoke", "--list", at=mine)
    there = [path for path in CHEAP if (mine / path).exists()]
    run(sys.executable, "-m", "pytest", "--quiet", "-n0", *there, at=mine)


def test_a_copy_with_one_model_does_not_speak_of_the_shop(copy: Copy) -> None:
    mine = copy(name="one-model", domain="empty")

    shop = re.compile("app.orders|app.products|app.sales|OrderLine|order_lines|prod.drill|api/orders|api/products")
    code = [path for path in files(mine) if not path.startswith("docs/decisions/")]
    assert not {path for path in code if shop.search((mine / path).read_text("utf-8", "ignore"))}


def test_code_says_the_name_in_few_places() -> None:
    """Elsewhere it is `ops.project.NAME`: with a shorter or longer one, a formatter would break the line otherwise."""
    say = {path for path in files(project.ROOT) if path.endswith(".py") and project.NAME in content_of(path).lower()}

    assert {path for path in say if not re.match("(tests/)?(benchmarks|yours)/", path)} == SAY_THE_NAME


def test_an_update_keeps_what_was_changed_here_and_brings_what_was_changed_there(
    source: Path, copy: Copy, tmp_path: Path
) -> None:
    mine = copy(name="corner-shop")
    edit(mine / "app" / "models.py", "class Product(", "# Goods.\nclass Product(")
    (mine / "app" / "colours.py").write_text("GROUND = 'groundwork'\n")
    (mine / "docs" / "observability.md").unlink()
    commit(mine)
    later = tmp_path / "later"
    run("git", "worktree", "add", "--quiet", "-b", "later", str(later), at=source)
    edit(later / "app" / "models.py", "class Order(", "# Groundwork's.\nclass Order(")
    (later / "app" / "later.py").write_text("SERVICE = 'groundwork'\n")
    edit(later / "docs" / "observability.md", "\n", "\n\n")
    commit(later)

    update(mine, "--vcs-ref", "later")

    models = (mine / "app" / "models.py").read_text()
    assert "# Goods.\nclass Product(" in models
    assert "# Corner Shop's.\nclass Order(" in models
    assert (mine / "app" / "colours.py").read_text() == "GROUND = 'groundwork'\n"
    assert (mine / "app" / "later.py").read_text() == "SERVICE = 'corner-shop'\n"
    assert not (mine / "docs" / "observability.md").exists()
    assert changed(mine) == [".copier-answers.yml", "app/later.py", "app/models.py"]


def test_an_update_from_the_commit_before_leaves_a_copy_of_this_one(source: Path, copy: Copy) -> None:
    if subprocess.run(["git", "cat-file", "-e", "HEAD~1:copier.yml"], cwd=source, capture_output=True).returncode:
        pytest.skip("the commit before cannot be copied: it has no copier.yml, or is not in this clone")
    mine = copy("HEAD~1", name="corner-shop")
    edit(mine / "wsgi.py", "\n", "\n# Mine.\n")
    commit(mine)

    update(mine)

    now = copy(name="corner-shop")
    differing = [path for path in {*files(mine), *files(now)} if content(mine / path) != content(now / path)]
    assert "wsgi.py" in differing
    assert not conflicts(mine)
    # Where more is left behind than in the commit before, copier leaves it in projects that have it.
    if not run("git", "diff", "--name-only", "HEAD~1", "--", "copier.yml", at=source):
        assert differing == ["wsgi.py"]


def test_an_answer_can_be_changed_later(copy: Copy) -> None:
    mine = copy(name="corner-shop")

    update(mine, "--data", "name=grocery", "--vcs-ref", ":current:")

    assert '"APPLICATION_DB": "grocery"' in (mine / "config" / "production.json").read_text()
    assert not conflicts(mine)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Corner Shop", "should be 2 to 19 lower-case letters, digits and single hyphens, a letter first"),
        (
            "flask",
            "name: flask is a package that the project depends on, or a database of every server; choose another",
        ),
        ("postgres", "name: postgres is a package that the project depends on, or a database of every server"),
    ],
)
def test_a_name_that_cannot_be_one_is_refused(name: str, why: str, source: Path, tmp_path: Path) -> None:
    refused = copier("copy", "--trust", "--defaults", "--data", f"name={name}", str(source), str(tmp_path / "mine"))

    assert refused.returncode != 0
    assert why in refused.stderr
    assert not (tmp_path / "mine").exists()


def test_what_is_no_longer_there_to_be_deleted_is_said() -> None:
    with pytest.raises(SystemExit, match=r"tasks\.py has nothing that matches \.\*bench"):
        make.without(["name", ".*bench"], "namespace", "tasks.py")


def files(folder: Path) -> list[str]:
    return run("git", "ls-files", "--cached", "--others", "--exclude-standard", at=folder).splitlines()


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def conflicts(folder: Path) -> list[str]:
    return [path for path in files(folder) if b"\n<<<<<<< " in (content(folder / path) or b"")]


def content_of(path: str) -> str:
    return (content(project.ROOT / path) or b"").decode("utf-8")


def changed(folder: Path) -> list[str]:
    return sorted(line[3:] for line in run("git", "status", "--porcelain", at=folder).splitlines())


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), "utf-8")


def commit(folder: Path) -> None:
    run("git", "add", "--all", at=folder)
    run("git", "commit", "--quiet", "--message", "On the way", at=folder)


def update(mine: Path, *options: str) -> None:
    updated = copier("update", "--trust", "--defaults", *(options or ("--vcs-ref", "HEAD")), at=mine)
    assert updated.returncode == 0, updated.stderr


def links_to_nowhere(folder: Path) -> list[str]:
    links = [
        (path, target)
        for path in files(folder)
        if path.endswith(".md")
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", (folder / path).read_text("utf-8"))
    ]
    assert links
    return [f"{path}: {target}" for path, target in links if not (folder / path).parent.joinpath(target).exists()]


def of_the_cloud(folder: Path) -> list[str]:
    documented = {path for path in files(folder) if path.endswith(".md")} - {CONFIGURATION}
    return [path for path in documented if re.search("inv cloud|terraform/", (folder / path).read_text("utf-8"))]


def copier(*arguments: str, at: Path = project.ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COPIER, *arguments], cwd=at, env={**ENVIRONMENT, **KEPT}, capture_output=True, text=True, check=False
    )


def run(*command: str, at: Path) -> str:
    ran = subprocess.run(command, cwd=at, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture
def copy(made: Copy, tmp_path: Path) -> Copy:
    """Gives a project that a test may change, as it was after its first commit."""

    def one_more(version: str = "HEAD", **answers: str) -> Path:
        place = tmp_path / f"mine-{len(list(tmp_path.iterdir()))}"
        return shutil.copytree(made(version, **answers), place, symlinks=True)

    return one_more


@pytest.fixture(scope="module")
def made(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Makes a project and its first commit, once for all tests with these answers."""

    @cache
    def once(version: str, **answers: str) -> Path:
        place = tmp_path_factory.mktemp("made") / "mine"
        data = [part for name, answer in answers.items() for part in ("--data", f"{name}={answer}")]
        ran = copier("copy", "--trust", "--defaults", "--vcs-ref", version, *data, str(source), str(place))
        assert ran.returncode == 0, ran.stderr
        commit(place)
        return place

    return once


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project as it is in the working tree, with its history in one pack; not to be changed."""
    place = tmp_path_factory.mktemp("source")
    run("git", "clone", "--quiet", "--no-checkout", "--no-local", str(project.ROOT), str(place / "history"), at=place)
    folder = make_clone(place).folder
    shutil.move(place / "history" / ".git", folder / ".git")
    (place / "history").rmdir()
    run("git", "reset", "--quiet", at=folder)
    if changed(folder):
        commit(folder)
    return folder
