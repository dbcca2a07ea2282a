"""Handling of pip-audit's results, and of missing ones."""

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from invoke.context import Context

from groundwork.system import paths, shell
from groundwork.system.errors import Exit
from groundwork.tasks import audit
from packages.groundwork.tests.conftest import on_small_disk

SOUND = {"name": "flask", "version": "3.1.3", "vulns": []}
OLD = {
    "name": "jinja2",
    "version": "3.1.2",
    "vulns": [
        {"id": "CVE-2024-22195", "fix_versions": ["3.1.3"], "aliases": []},
        {"id": "CVE-2024-34064", "fix_versions": [], "aliases": []},
    ],
}
FLASK = {"name": "flask", "ecosystem": "PyPI"}
FLAW = {
    "id": "GHSA-xxxx",
    "aliases": ["CVE-2026-12345"],
    "summary": "Made up.",
    "affected": [
        {"package": FLASK, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.1"}]}]}
    ],
}
Audited = Callable[..., tuple[str, str]]
OURS = {"name": "ours", "skip_reason": "Dependency not found on PyPI and could not be audited: ours (1.0)"}


def test_what_is_vulnerable_is_named_with_the_version_that_is_not() -> None:
    report = audit.parse(answer(SOUND, OLD, OURS), "")

    assert (report.known, report.unknown) == (2, ["ours"])
    assert list(map(str, report.found)) == [
        "uv.lock: jinja2 3.1.2: CVE-2024-22195, fixed in 3.1.3",
        "uv.lock: jinja2 3.1.2: CVE-2024-34064, not fixed in any version",
    ]


def test_who_knows_no_package_at_all_was_not_asked() -> None:
    with pytest.raises(audit.ServiceUnavailable):
        audit.parse(answer(OURS), "No known vulnerabilities found")


def test_what_else_goes_wrong_is_an_error() -> None:
    with pytest.raises(Exit, match="invalid requirements"):
        audit.parse("", "ERROR:pip_audit._cli:invalid requirements input")


def test_what_is_accepted_is_let_through_until_it_is_mended() -> None:
    report = audit.parse(answer(SOUND, OLD), "")

    left = report.without({"CVE-2024-22195": "we do not", "CVE-2024-34064": "we do not either"})
    with pytest.raises(Exit, match=r"pyproject.toml: tool.audit.accepted: CVE-2020-1: no package in uv.lock has it"):
        report.without({"CVE-2020-1": "was mended long ago"})

    assert left.found == []
    assert len(report.without({"CVE-2024-22195": "we do not"}).found) == 1


def test_a_service_that_answers_is_believed(service: str) -> None:
    """The real pip-audit calls a service by HTTP that knows one vulnerability, in Flask."""
    asked = subprocess.run(
        shell.python("invoke", "audit"),
        cwd=paths.ROOT,
        env={**os.environ, "UV_OFFLINE": "1", **osv(f"{service}/flaw")},
        text=True,
        capture_output=True,
        check=False,
    )

    assert asked.returncode == 1
    flask, remedy = asked.stderr.splitlines()
    assert flask.startswith("uv.lock: flask 3.")
    assert flask.endswith(": CVE-2026-12345, fixed in 99.1")
    assert remedy == "upgrade with: uv lock --upgrade-package NAME"


def test_a_service_that_knows_no_flaw_is_believed(service: str, audited: Audited) -> None:
    assert audited(osv(f"{service}/none")) == ("1 packages in uv.lock: no known vulnerabilities\n", "")


def test_one_that_fails_is_no_answer(service: str, audited: Audited) -> None:
    said, complaint = audited(osv(f"{service}/away"))

    assert said == ""
    assert "NOT AUDITED: no vulnerability service responds" in complaint
    assert "503" in complaint


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "small"

    asked = subprocess.run(
        [*on_small_disk(folder, "8k"), *shell.python("invoke", "audit")],
        cwd=paths.ROOT,
        env={**os.environ, "TMPDIR": str(folder), "UV_OFFLINE": "1"},
        text=True,
        capture_output=True,
        check=False,
    )

    assert (asked.returncode, asked.stdout) == (1, "")
    assert asked.stderr == "not audited: No space left on device\n"


def test_without_a_network_it_is_said_and_no_error(audited: Audited) -> None:
    said, complaint = audited({"HTTPS_PROXY": "http://127.0.0.1:9"})

    assert (
        "NOT AUDITED: no vulnerability service responds for the packages in uv.lock: requests.exceptions." in complaint
    )
    assert said == ""


def test_a_pipeline_fails_if_nothing_was_audited(service: str, audited: Audited) -> None:
    with pytest.raises(Exit, match=r"^NOT AUDITED: [^\n]*\n[^\n]*: inv audit --allow-unaudited$") as refused:
        audited({**osv(f"{service}/away"), "CI": "true"})

    assert refused.value.code == 1


def test_a_pipeline_passes_unaudited_if_that_is_allowed(service: str, audited: Audited) -> None:
    _, complaint = audited({**osv(f"{service}/away"), "CI": "true"}, True)

    assert "NOT AUDITED: no vulnerability service responds" in complaint


def osv(url: str) -> dict[str, str]:
    return {"PIP_AUDIT_VULNERABILITY_SERVICE": "osv", "PIP_AUDIT_OSV_URL": url}


@pytest.fixture
def audited(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Audited:
    """Return a function that audits one package with these variables and returns stdout and stderr."""
    monkeypatch.setattr(audit, "EXPORT", ["printf", f"flask==3.1.3 --hash=sha256:{'0' * 64}"])

    monkeypatch.delenv("CI", raising=False)

    def audited(variables: Mapping[str, str], allow_unaudited: bool = False) -> tuple[str, str]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        audit.audit(Context(), allow_unaudited=allow_unaudited)
        said = capsys.readouterr()
        return said.out, said.err

    return audited


@pytest.fixture
def service() -> Iterator[str]:
    """Serve the OSV API, https://google.github.io/osv.dev/post-v1-query, with one path per set of results."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Osv) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Osv(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each of its 200 answers waits 40 ms for the client's acknowledgement

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = {"vulns": [FLAW]} if self.path == "/flaw" and asked["package"] == FLASK else {}
        told = json.dumps(known).encode()
        self.send_response(503 if self.path == "/away" else 200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_: object) -> None:
        """Discard log lines, which would go to the test output."""


def answer(*packages: Mapping[str, object]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})
