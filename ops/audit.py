"""`inv audit`: whether a package in uv.lock is known to be vulnerable, as PyPI is told by those who publish it.

Who asks another service says so by pip-audit's own variables, PIP_AUDIT_VULNERABILITY_SERVICE and PIP_AUDIT_OSV_URL.
"""

import json
import os
import re
import subprocess
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from ops import disk, project, shell

ACCEPTED = "tool.audit.accepted"
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
    """Packages that the service has nothing about."""
    found: Sequence[Vulnerability]

    def without(self, accepted: Mapping[str, str]) -> "Report":
        """Raises Exit where one that is accepted is not there, so that none is once it is mended."""
        if stale := accepted.keys() - {each.id for each in self.found}:
            places = [f"pyproject.toml: {ACCEPTED}: {each}: no package in uv.lock has it" for each in sorted(stale)]
            raise Exit("\n".join([*places, "take it out"]), code=1)
        return replace(self, found=[each for each in self.found if each.id not in accepted])


@task(help={"allow_unaudited": "pass in a pipeline too if no vulnerability service answers"})
def audit(_: Context, allow_unaudited: bool = False) -> None:
    """Fail if a package is known to be vulnerable.

    It asks about each package of uv.lock. If no service answers, it says so,
    and fails if CI is set: a pipeline relies on the answer.

    Example: inv audit --allow-unaudited
    """
    accepted = _accepted()
    try:
        report = read(*_asked()).without(accepted)
    except NotAnswered as reason:
        unaudited = f"NOT AUDITED: no service answers for the packages in uv.lock: {reason}"
        if _is_pipeline() and not allow_unaudited:
            raise Exit(f"{unaudited}\nto let a pipeline pass without: inv audit --allow-unaudited", code=1) from None
        shell.note(unaudited)
        return
    if report.unknown:
        shell.note(f"not audited, since they are not known there: {', '.join(report.unknown)}")
    if report.found:
        raise Exit(
            "\n".join(map(str, [*report.found, "uv lock --upgrade-package NAME mends what can be mended"])), code=1
        )
    besides = f", but for {', '.join(accepted)}, which pyproject.toml accepts" if accepted else ""
    shell.say(f"{report.known} packages in uv.lock: none is known to be vulnerable{besides}")


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
        raise NotAnswered("none of them is known there")
    found = [
        Vulnerability(package["name"], package["version"], flaw["id"], flaw["fix_versions"])
        for package in known
        for flaw in package["vulns"]
    ]
    return Report(len(known), [package["name"] for package in packages if "skip_reason" in package], found)


def _is_pipeline() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def _accepted() -> dict[str, str]:
    """The vulnerabilities that nothing can be done about yet, each with the reason for which that is no danger here."""
    document = tomllib.loads((project.ROOT / "pyproject.toml").read_text("utf-8"))
    accepted: dict[str, str] = document.get("tool", {}).get("audit", {}).get("accepted", {})
    return accepted


def _asked() -> tuple[str, str]:
    with disk.failures("not audited"), tempfile.TemporaryDirectory() as folder:
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
