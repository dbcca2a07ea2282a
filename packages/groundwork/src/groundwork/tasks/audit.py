"""Task `inv audit`: a scan of uv.lock for known vulnerabilities, by default with PyPI's advisories.

pip-audit's variables PIP_AUDIT_VULNERABILITY_SERVICE and PIP_AUDIT_OSV_URL choose another service.
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
from invoke.tasks import task

from groundwork.system import errors, paths, shell
from groundwork.system.errors import Exit

ACCEPTED = "tool.audit.accepted"
EXPORT = ["uv", "export", "--quiet", "--locked", "--all-groups", "--no-emit-workspace"]
UNAVAILABLE = re.compile(r"^(requests\.exceptions|pip_audit\._service)\..*|.*your network may be blocking.*", re.M)
"""Matches the error of pip-audit for an unreachable service or an invalid response."""


class ServiceUnavailable(Exception):
    """The vulnerability service gave no usable response; the message says what came instead."""


@dataclass(frozen=True)
class Vulnerability:
    package: str
    version: str
    id: str
    fixed_in: Sequence[str]

    def __str__(self) -> str:
        fix = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "not fixed in any version"
        return f"uv.lock: {self.package} {self.version}: {self.id}, {fix}"


@dataclass(frozen=True)
class Report:
    known: int
    unknown: Sequence[str]
    """Packages that the service does not know."""
    found: Sequence[Vulnerability]

    def without(self, accepted: Mapping[str, str]) -> "Report":
        """Return the report without the accepted vulnerabilities. Raises Exit if an accepted one is not found."""
        if stale := accepted.keys() - {each.id for each in self.found}:
            lines = [f"pyproject.toml: {ACCEPTED}: {each}: no package in uv.lock has it" for each in sorted(stale)]
            raise Exit("\n".join([*lines, "remove it"]), code=1)
        return replace(self, found=[each for each in self.found if each.id not in accepted])


@task(help={"allow_unaudited": "also pass in a pipeline if no vulnerability service responds"})
def audit(_: Context, allow_unaudited: bool = False) -> None:
    """Fail if a dependency has a known vulnerability.

    It checks each package in uv.lock. If no vulnerability service responds, it
    prints a warning; with CI set it fails, since pipelines rely on the result.

    Example: inv audit --allow-unaudited
    """
    accepted = _accepted()
    try:
        report = parse(*_run_pip_audit()).without(accepted)
    except ServiceUnavailable as reason:
        unaudited = f"NOT AUDITED: no vulnerability service responds for the packages in uv.lock: {reason}"
        if _is_pipeline() and not allow_unaudited:
            raise Exit(f"{unaudited}\nto let the pipeline pass anyway: inv audit --allow-unaudited", code=1) from None
        shell.note(unaudited)
        return
    if report.unknown:
        shell.note(f"not audited, unknown to the vulnerability service: {', '.join(report.unknown)}")
    if report.found:
        raise Exit("\n".join(map(str, [*report.found, "upgrade with: uv lock --upgrade-package NAME"])), code=1)
    exceptions = f" except {', '.join(accepted)}, accepted in pyproject.toml" if accepted else ""
    shell.say(f"{report.known} packages in uv.lock: no known vulnerabilities{exceptions}")


def parse(output: str, error_output: str) -> Report:
    """Parse pip-audit's JSON output. Raises ServiceUnavailable; raises Exit if pip-audit failed for another reason."""
    if not output:
        if unavailable := UNAVAILABLE.search(error_output):
            raise ServiceUnavailable(unavailable[0])
        raise Exit(error_output)
    packages = json.loads(output)["dependencies"]
    known = [package for package in packages if "vulns" in package]
    # pip-audit also succeeds with a service that knows no package at all, such as a mirror of PyPI without advisories.
    if not known:
        raise ServiceUnavailable("it knows none of them")
    found = [
        Vulnerability(package["name"], package["version"], vulnerability["id"], vulnerability["fix_versions"])
        for package in known
        for vulnerability in package["vulns"]
    ]
    return Report(len(known), [package["name"] for package in packages if "skip_reason" in package], found)


def _is_pipeline() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def _accepted() -> dict[str, str]:
    """Return the accepted vulnerabilities: each id with the reason why it is harmless here."""
    document = tomllib.loads((paths.ROOT / "pyproject.toml").read_text("utf-8"))
    accepted: dict[str, str] = document.get("tool", {}).get("audit", {}).get("accepted", {})
    return accepted


def _run_pip_audit() -> tuple[str, str]:
    """Return the standard output and the standard error of pip-audit."""
    with errors.exit_on_os_error("not audited"), tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text(shell.read(EXPORT), "utf-8")
        # --disable-pip resolves and installs nothing: the lock file has all packages and their hashes.
        command = shell.python("pip_audit", "--requirement", str(requirements), "--require-hashes", "--disable-pip")
        options = ("--format", "json", "--desc", "off", "--progress-spinner", "off")
        finished = subprocess.run(
            [*command, *options],
            cwd=paths.ROOT,
            env=shell.environment({}),
            text=True,
            capture_output=True,
            check=False,
        )
    return finished.stdout, finished.stderr
