"""The release before this one, tested on the schema that the working tree's migrations make.

While a new release starts, the one before it still runs, on the new schema already.
"""

import shutil
import subprocess
from pathlib import Path

from invoke.exceptions import Exit

from ops import migrations, release, shell
from ops.release import Release

TESTS = ("tests/app/api", "tests/app")  # the first that the release has


def check(against: str) -> None:
    """Raises Exit with pytest's code where the release fails on the new schema."""
    found = release.find(against) if against else release.last()
    if found is None:
        missing = f"there is neither a tag nor {release.TRUNK}"
        raise Exit(f"nothing was compared: {missing}: fetch them, or name a commit: --against", code=1)
    new = release.migrations_since(found)
    if not new:
        shell.say(f"nothing to compare: there are no migrations since {found}")
        return
    names = ", ".join(f"{revision.name} {revision.title}".rstrip(" .") for revision in new)
    shell.note(f"testing {found} on the schema with {names}")
    with shell.interruptible(), release.exported(found) as folder:
        bring_migrations(folder)
        _require_loadable(folder, found)
        try:
            # The user's own options could leave tests out.
            command = shell.python("pytest", "--tb", "line", _tests(folder, found))
            shell.serve(command, {"PYTEST_ADDOPTS": ""}, folder=folder)
        except Exit as failed:
            raise Exit(f"{found} breaks on the schema with {names}", code=failed.code) from None
    shell.say(f"{found} works on the schema with {names}")


def bring_migrations(folder: Path) -> None:
    """The revisions alone: how they are run stays as it was."""
    versions = folder / release.VERSIONS
    shutil.rmtree(versions, ignore_errors=True)
    shutil.copytree(migrations.FOLDER, versions, ignore=shutil.ignore_patterns("__pycache__", ".*"))


def _require_loadable(folder: Path, found: Release) -> None:
    loaded = subprocess.run(
        shell.python("alembic", "heads"),
        cwd=folder, env=shell.environment({}), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if loaded.returncode:
        reason = (loaded.stderr.strip() or loaded.stdout.strip()).rpartition("\n")[2]
        raise Exit(
            f"the migrations cannot be loaded beside the code of {found}: {reason}; let them import nothing of the app",
            code=1,
        )


def _tests(folder: Path, found: Release) -> str:
    for place in TESTS:
        if (folder / place).is_dir():
            return place
    raise Exit(f"{found} has no tests in {' or '.join(TESTS)}", code=1)
