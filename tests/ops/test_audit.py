"""What is made of pip-audit's answer, and of none."""

import json
import os
import subprocess
from collections.abc import Mapping

import pytest
from invoke.exceptions import Exit

from ops import audit, project, shell

SOUND = {"name": "flask", "version": "3.1.3", "vulns": []}
OLD = {
    "name": "jinja2",
    "version": "3.1.2",
    "vulns": [
        {"id": "CVE-2024-22195", "fix_versions": ["3.1.3"], "aliases": []},
        {"id": "CVE-2024-34064", "fix_versions": [], "aliases": []},
    ],
}
OURS = {"name": "ours", "skip_reason": "Dependency not found on PyPI and could not be audited: ours (1.0)"}


def test_what_is_vulnerable_is_named_with_the_version_that_is_not() -> None:
    report = audit.read(answer(SOUND, OLD, OURS), "")

    assert (report.known, report.unknown) == (2, ["ours"])
    assert list(map(str, report.found)) == [
        "uv.lock: jinja2 3.1.2: CVE-2024-22195, mended in 3.1.3",
        "uv.lock: jinja2 3.1.2: CVE-2024-34064, not mended in any version",
    ]


def test_who_knows_no_package_at_all_was_not_asked() -> None:
    with pytest.raises(audit.NotAnswered):
        audit.read(answer(OURS), "No known vulnerabilities found")


def test_what_else_goes_wrong_is_an_error() -> None:
    with pytest.raises(Exit, match="invalid requirements"):
        audit.read("", "ERROR:pip_audit._cli:invalid requirements input")


def test_without_a_network_it_is_said_and_no_error() -> None:
    asked = subprocess.run(
        shell.python("invoke", "audit"),
        cwd=project.ROOT,
        env={**os.environ, "HTTPS_PROXY": "http://127.0.0.1:9", "UV_OFFLINE": "1"},
        text=True,
        capture_output=True,
        check=False,
    )

    assert asked.returncode == 0, asked.stderr
    assert "NOT AUDITED: nobody can be asked about the packages in uv.lock: requests.exceptions." in asked.stderr
    assert asked.stdout == ""


def answer(*packages: Mapping[str, object]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})
