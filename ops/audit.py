"""`inv audit`: whether a package in uv.lock is known to be vulnerable, as PyPI is told by those who publish it."""

import json
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from ops import project, shell

EXPORT = ["uv", "export", "--quiet", "--locked", "--all-groups", "--no-emit-project"]
NO_ANSWER = re.compile(r"^(requests\.exceptions|pip_audit\._service)\..*|.*your network may be blocking.*", re.M)
"""What pip-audit ends with when nobody is there, or says nothing that it understands."""


class NotAnswered(Exception):
    """Says what came instead."""


@dataclass(frozen=True)
class Vulnerability:
    package: str
    version: str
    id: str
    fixed_in: Sequence[str]

    def __str__(self) -> str:
        mended = f"mended in {', '.join(self.fixed_in)}" if self.fixed_in else "not mended in any version"
        return f"uv.lock: {self.package} {self.version}: {self.id}, {mended}"


@dataclass(frozen=True)
class Report:
    known: int
    unknown: Sequence[str]
    """Packages that PyPI has nothing about."""
    found: Sequence[Vulnerability]


@task
def audit(_: Context) -> None:
    """Fail where a package in uv.lock is known to be vulnerable; where nobody can be asked, say so."""
    try:
        report = read(*_asked())
    except NotAnswered as reason:
        shell.note(f"NOT AUDITED: nobody can be asked about the packages in uv.lock: {reason}")
        return
    if report.unknown:
        shell.note(f"not audited, since PyPI does not know them: {', '.join(report.unknown)}")
    if report.found:
        raise Exit("\n".join(map(str, [*report.found, "uv lock --upgrade-package NAME mends what can be mended"])))
    shell.say(f"{report.known} packages in uv.lock: none is known to be vulnerable")


def read(answer: str, complaint: str) -> Report:
    """What pip-audit said. Raises NotAnswered, or Exit where it failed in another way."""
    if not answer:
        if no_answer := NO_ANSWER.search(complaint):
            raise NotAnswered(no_answer[0])
        raise Exit(complaint)
    packages = json.loads(answer)["dependencies"]
    known = [package for package in packages if "vulns" in package]
    # A service that knows nothing at all, a mirror of PyPI say, makes pip-audit as content as one that knows no fault.
    if not known:
        raise NotAnswered("PyPI's JSON API knows none of them")
    found = [
        Vulnerability(package["name"], package["version"], flaw["id"], flaw["fix_versions"])
        for package in known
        for flaw in package["vulns"]
    ]
    return Report(len(known), [package["name"] for package in packages if "skip_reason" in package], found)


def _asked() -> tuple[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text(shell.read(EXPORT), "utf-8")
        # Nothing is installed or resolved: the lock has all packages, and their hashes.
        command = shell.python("pip_audit", "--requirement", str(requirements), "--require-hashes", "--disable-pip")
        options = ("--format", "json", "--desc", "off", "--progress-spinner", "off")
        finished = subprocess.run(
            [*command, *options],
            cwd=project.ROOT,
            env=shell.environment({}),
            text=True,
            capture_output=True,
            check=False,
        )
    return finished.stdout, finished.stderr
