"""Compatibility check: the last release's tests on the schema of the working tree's migrations.

During a deployment the last release still runs, already on the new schema.
"""

import shutil
import subprocess
from pathlib import Path

from groundwork.migrations import git_release, revisions
from groundwork.migrations.git_release import Release
from groundwork.system import shell
from groundwork.system.errors import Exit

TESTS = ("tests/app/api", "tests/app")  # the first one that exists is run

TOOLS = "packages/groundwork/src"
"""The tools of a release that has them in its repository: its tests run with these, not with the installed ones."""


def check(against: str) -> None:
    """Run the release's tests on the new schema. Raises Exit with pytest's exit code if they fail."""
    release = git_release.find(against) if against else git_release.last()
    if release is None:
        missing = f"there is neither a tag nor {git_release.TRUNK}"
        raise Exit(f"nothing was compared: {missing}: fetch them, or name a commit with --against", code=1)
    new = git_release.migrations_since(release)
    if not new:
        shell.say(f"nothing to compare: there are no migrations since {release}")
        return
    names = ", ".join(f"{revision.name} {revision.title}".rstrip(" .") for revision in new)
    shell.note(f"testing {release} on the schema with {names}")
    with shell.interruptible(), git_release.exported(release) as folder:
        replace_migrations(folder)
        _require_loadable(folder, release)
        try:
            # Clear PYTEST_ADDOPTS, since the user's options could deselect tests.
            command = shell.python("pytest", "--tb", "line", *_plugin(folder / TOOLS), _tests(folder, release))
            shell.serve(command, {"PYTEST_ADDOPTS": "", "PYTHONPATH": str(folder / TOOLS)}, folder=folder)
        except Exit as error:
            raise Exit(f"{release} fails on the schema with {names}", code=error.code) from None
    shell.say(f"{release} works on the schema with {names}")


def replace_migrations(folder: Path) -> None:
    """Replace the release's revisions with the working tree's; keep its alembic/env.py."""
    versions = folder / git_release.VERSIONS
    shutil.rmtree(versions, ignore_errors=True)
    shutil.copytree(revisions.FOLDER, versions, ignore=shutil.ignore_patterns("__pycache__", ".*"))


def _require_loadable(folder: Path, release: Release) -> None:
    loaded = subprocess.run(
        shell.python("alembic", "heads"),
        cwd=folder, env=shell.environment({}), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if loaded.returncode:
        reason = (loaded.stderr.strip() or loaded.stdout.strip()).rpartition("\n")[2]
        raise Exit(
            f"the migrations cannot be imported with the code of {release}: {reason}; remove their imports of the app",
            code=1,
        )


def _plugin(tools: Path) -> list[str]:
    """Return the options that disable the pytest plugin, if the release has tools without it."""
    return ["-p", "no:groundwork"] if tools.is_dir() and not (tools / "groundwork" / "testing").is_dir() else []


def _tests(folder: Path, release: Release) -> str:
    for tests in TESTS:
        if (folder / tests).is_dir():
            return tests
    raise Exit(f"{release} has no tests in {' or '.join(TESTS)}", code=1)
