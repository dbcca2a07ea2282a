"""CI pipelines: valid according to their linters, and thin calls of the README's tasks."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from groundwork.system import paths, shell
from tasks import namespace
from tests import browser

WORKFLOWS = sorted((paths.ROOT / ".github" / "workflows").glob("*.yml"))
CIRCLE_CI = paths.ROOT / ".circleci" / "config.yml"
JENKINS = paths.ROOT / "Jenkinsfile"
OTHERS = [path for path in (CIRCLE_CI, JENKINS) if path.exists()]
CHECKS = {"lint", "audit", "test", "prod.build"}
"""Tasks that each of the three systems runs for every commit."""

# A project made from this one has those that it was asked for.
on_github = pytest.mark.skipif(not WORKFLOWS, reason="there are no workflows for GitHub Actions")
on_circle_ci = pytest.mark.skipif(not CIRCLE_CI.exists(), reason="there is no configuration for CircleCI")

CALL = re.compile(r"(?:\./inv|uv run inv) ([\w.]+)")
STEP = re.compile(r"\brun: |\bsh '")
USES = re.compile(r"uses: (\S+)(.*)")
PINNED = re.compile(r"[\w-]+/[\w./-]+@[0-9a-f]{40}")


@on_github
def test_the_workflows_are_sound(repository: Path) -> None:
    checked = check_workflows(repository)

    assert checked == ""


@on_github
@pytest.mark.parametrize(
    ("sound", "broken", "told"),
    [
        ("runs-on: ubuntu-24.04", "runs-on: ubuntu-24.05", "runner-label"),
        ("matrix.experimental", "matrix.experimentel", "undefined-property"),
        ("permissions: {}", "permissions: write-all", "excessive-permissions"),
        ("@3d3c42e5aac5ba805825da76410c181273ba90b1", "@v7", "unpinned-uses"),
        ("persist-credentials: false", "clean: true", "artipacked"),
        ("timeout-minutes: 15", "# nothing", "missing-timeout"),
    ],
)
def test_a_workflow_that_is_not_is_told_of(repository: Path, sound: str, broken: str, told: str) -> None:
    path = repository / ".github" / "workflows" / "test.yml"
    text = path.read_text()
    assert sound in text
    path.write_text(text.replace(sound, broken))

    checked = check_workflows(repository)

    assert told in checked


@on_circle_ci
def test_circle_ci_takes_its_configuration() -> None:
    checked = run("check-jsonschema", "--builtin-schema", "vendor.circle-ci", str(CIRCLE_CI))

    assert checked == ""


@on_circle_ci
def test_what_circle_ci_does_not_take_is_told_of(tmp_path: Path) -> None:
    broken = tmp_path / "config.yml"
    broken.write_text(CIRCLE_CI.read_text().replace("machine:", "machines:"))

    checked = run("check-jsonschema", "--builtin-schema", "vendor.circle-ci", str(broken))

    assert "jobs.lint" in checked


@on_github
def test_an_action_is_pinned_by_its_commit_and_tells_its_version() -> None:
    used = [found for path in WORKFLOWS for found in USES.findall(path.read_text()) if not found[0].startswith("$/")]

    assert used
    for action, comment in used:
        assert PINNED.fullmatch(action)
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment)
    assert len({action for action, _ in used}) == len({action.partition("@")[0] for action, _ in used}), "two versions"


@pytest.mark.parametrize("pipeline", [*WORKFLOWS, *OTHERS], ids=paths.display)
def test_a_pipeline_calls_tasks_and_nothing_else(pipeline: Path) -> None:
    text = pipeline.read_text()

    assert set(CALL.findall(text)) <= set(namespace.task_names)
    assert len(STEP.findall(text)) == len(CALL.findall(text))


@pytest.mark.parametrize("pipeline", [*(path for path in WORKFLOWS if path.stem == "test"), *OTHERS], ids=paths.display)
def test_what_the_browser_saw_is_kept(pipeline: Path) -> None:
    assert paths.display(browser.SCREENSHOTS.parent) in pipeline.read_text()


@on_github
def test_github_checks_the_same_as_the_others() -> None:
    called = "".join(path.read_text() for path in WORKFLOWS if path.stem in ("test", "image"))

    assert set(CALL.findall(called)) == CHECKS


@on_github
def test_what_is_deployed_is_what_was_scanned() -> None:
    image, deploy = (WORKFLOWS[0].with_stem(name).read_text() for name in ("image", "deploy"))

    assert "prod.build --archive" in image
    for name in ("web", "proxy"):
        assert f"image: ${{{{ steps.build.outputs.{name} }}}}" in image
    assert CALL.findall(deploy) == ["cloud.deploy"]
    assert "artifact-ids: ${{ needs.image.outputs.archive }}" in deploy
    assert "cloud.deploy --archive" in deploy


@pytest.mark.parametrize("pipeline", OTHERS, ids=paths.display)
def test_each_of_the_others_checks_the_same(pipeline: Path) -> None:
    assert set(CALL.findall(pipeline.read_text())) == CHECKS


def check_workflows(repository: Path) -> str:
    """Return the findings of the workflow linters, without network access."""
    return run("jactionlint", "--no-color", "--shellcheck=", folder=repository) + run(
        "zizmor", "--offline", "--quiet", "--persona", "pedantic", "--color", "never", ".github", folder=repository
    )


def run(program: str, *arguments: str, folder: Path = paths.ROOT) -> str:
    """Run a linter and return its findings; empty if there are none."""
    found = Path(sys.executable).with_name(program)
    done = subprocess.run(
        [found, *arguments], cwd=folder, env=shell.environment({}), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 or done.stdout + done.stderr
    return done.stdout + done.stderr if done.returncode else ""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository that contains only the workflows."""
    shutil.copytree(paths.ROOT / ".github", tmp_path / ".github")
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    return tmp_path
