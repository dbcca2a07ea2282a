"""Linter for dangerous operations in migrations: squawk's findings on their SQL, with the line of the migration.

A comment at the operation, `# lint: RULE, REASON`, suppresses a finding. A waiver that is unused or has no reason is
itself a finding.
"""

import ast
import io
import json
import re
import subprocess
import sys
import tokenize
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundwork.configuration import loader
from groundwork.contract import PROJECT
from groundwork.migrations import revisions
from groundwork.system import paths
from groundwork.system.errors import Exit

WAIVER = re.compile(r"#\s*lint:\s*(?P<rule>[\w-]*)[\s,]*(?P<reason>.*)")
TIMEOUTS = "SET lock_timeout = '4s';\nSET statement_timeout = '5s';\n"  # as the runner sets them


@dataclass(frozen=True)
class Finding:
    path: Path
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{paths.display(self.path)}:{self.line}: {self.rule}: {self.message}"


@dataclass
class _Waiver:
    line: int
    rule: str
    reason: str
    used: bool = False


@dataclass(frozen=True)
class _Operation:
    """A statement of a migration, from the comment above it to its last line."""

    first: int
    last: int
    waivers: list[_Waiver]


def find() -> list[Finding]:
    """Lint the revisions after `lint_after`, by default all, in the order of application."""
    findings = _multiple_heads()
    after = {PROJECT.lint_after} - {""}
    if unknown := after - set(revisions.load_all()):
        raise Exit(f"pyproject.toml: tool.groundwork.lint_after: there is no revision {unknown.pop()}", code=1)
    for revision in revisions.pending(after):
        findings += find_in(revision.path)
    return findings


def find_in(path: Path) -> list[Finding]:
    operations = list(_operations(path))
    findings = [finding for finding in _run_squawk_on(path) if not _is_waived(finding, operations)]
    for waiver in (waiver for operation in operations for waiver in operation.waivers):
        if not waiver.used:
            message = f"squawk finds no {waiver.rule or 'rule'} here: remove the comment"
            findings.append(Finding(path, waiver.line, "waiver", message))
        elif not waiver.reason:
            findings.append(Finding(path, waiver.line, "waiver", f"add the reason why {waiver.rule} is harmless here"))
    return sorted(findings, key=lambda finding: finding.line)


def statements(path: Path) -> list[tuple[int, str]]:
    """Return the SQL statements of the upgrade, each with the line of the migration that emits it."""
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    script = next(script for script in revisions.scripts() if Path(script.path).name == path.name)
    options: dict[str, Any] = {"as_sql": True, "literal_binds": True, "output_buffer": io.StringIO()}
    context = MigrationContext.configure(dialect_name="postgresql", opts=options)
    written: list[tuple[int, str]] = []
    context.impl.static_output = lambda text: written.append((_line_in(script.path), text))  # type: ignore[method-assign]
    try:
        with Operations.context(context):
            script.module.upgrade()
    except Exception as error:  # a migration may raise anything, for example when it reads rows offline
        raise revisions.failure(error) from None
    return written


def _multiple_heads() -> list[Finding]:
    heads = sorted(revisions.heads())
    known = revisions.load_all()
    message = f"multiple heads: {', '.join(heads)}: {revisions.ONE_HEAD}"
    return [Finding(known[head].path, 1, "one head", message) for head in heads[1:]]


def _run_squawk_on(path: Path) -> Iterator[Finding]:
    text = ""
    lines: list[int] = []  # lines of the migration by line of the SQL
    for line, sql in [(0, f"{TIMEOUTS}BEGIN;"), *statements(path), (0, "COMMIT;")]:
        text += f"{sql}\n"
        lines += [line] * (sql.count("\n") + 1)
    for found in _squawk(text):
        message = " ".join(filter(None, (found["message"], found["help"])))
        yield Finding(path, lines[found["line"]], found["rule_name"], message)


def _squawk(sql: str) -> list[dict[str, Any]]:
    """Run squawk with the rules for the configured PostgreSQL version. Raises Exit if squawk itself fails."""
    version = loader.load("testing", environ={}, missing_secrets="show").images.postgres.rpartition(":")[2]
    process = subprocess.run(
        [Path(sys.executable).with_name("squawk"), "--pg-version", version.partition("-")[0], "--reporter", "json"],
        cwd=paths.ROOT, input=sql, capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        found: list[dict[str, Any]] = json.loads(process.stdout)
    except json.JSONDecodeError:
        raise Exit(f"squawk: {(process.stderr or process.stdout).strip()}", code=1) from None
    return found


def _operations(path: Path) -> Iterator[_Operation]:
    """Yield the operations of upgrade(), each with the waivers on its lines and in the comment above it."""
    with tokenize.open(path) as file:
        text = file.read()
    lines = text.splitlines()
    upgrades = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"]
    for node in (each for upgrade in upgrades for each in ast.walk(upgrade) if isinstance(each, ast.Expr)):
        first, last = node.lineno, node.end_lineno or node.lineno
        while lines[first - 2].lstrip().startswith("#"):
            first -= 1
        comments = [(number, WAIVER.search(lines[number - 1])) for number in range(first, last + 1)]
        waivers = [_Waiver(number, found["rule"], found["reason"].strip()) for number, found in comments if found]
        yield _Operation(first, last, waivers)


def _is_waived(finding: Finding, operations: list[_Operation]) -> bool:
    for operation in operations:
        for waiver in operation.waivers:
            if operation.first <= finding.line <= operation.last and waiver.rule == finding.rule:
                waiver.used = True
                return True
    return False


def _line_in(path: str) -> int:
    """Return the current line of the nearest caller in the file; 0 if there is none."""
    return next((line for frame, line in traceback.walk_stack(None) if frame.f_code.co_filename == path), 0)
