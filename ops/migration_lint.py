"""What is dangerous in a migration: its SQL through squawk, each finding brought back to its line.

A finding is let through by a comment beside the operation, `# lint: RULE, REASON`. One without a reason, or for
nothing, is a finding itself.
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

from invoke.exceptions import Exit

from ops import configuration, migrations, project

WAIVER = re.compile(r"#\s*lint:\s*(?P<rule>[\w-]*)[\s,]*(?P<reason>.*)")
TIMEOUTS = "SET lock_timeout = '4s';\nSET statement_timeout = '5s';\n"  # as alembic/env.py sets them


@dataclass(frozen=True)
class Finding:
    path: Path
    line: int
    rule: str
    sentence: str

    def __str__(self) -> str:
        return f"{project.shown(self.path)}:{self.line}: {self.rule}: {self.sentence}"


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
    """Of all revisions, in their order."""
    found = _more_than_one_head()
    for revision in migrations.pending(set()):
        found += find_in(revision.path)
    return found


def find_in(path: Path) -> list[Finding]:
    operations = list(_operations(path))
    found = [finding for finding in _squawked(path) if not _is_let_through(finding, operations)]
    for waiver in (waiver for operation in operations for waiver in operation.waivers):
        if not waiver.used:
            remedy = f"squawk finds no {waiver.rule or 'rule'} here: take the comment away"
            found.append(Finding(path, waiver.line, "waiver", remedy))
        elif not waiver.reason:
            found.append(Finding(path, waiver.line, "waiver", f"say why {waiver.rule} is no danger here"))
    return sorted(found, key=lambda finding: finding.line)


def statements(path: Path) -> list[tuple[int, str]]:
    """The SQL of the upgrade, each statement with the line of the file that it comes from."""
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    script = next(script for script in migrations.scripts() if Path(script.path).name == path.name)
    options: dict[str, Any] = {"as_sql": True, "literal_binds": True, "output_buffer": io.StringIO()}
    context = MigrationContext.configure(dialect_name="postgresql", opts=options)
    written: list[tuple[int, str]] = []
    context.impl.static_output = lambda text: written.append((_line_in(script.path), text))  # type: ignore[method-assign]
    try:
        with Operations.context(context):
            script.module.upgrade()
    except Exception as error:  # it may do anything, such as reading rows, of which there are none here
        raise migrations.failure(error) from None
    return written


def _more_than_one_head() -> list[Finding]:
    heads = sorted(migrations.heads())
    known = migrations.every()
    remedy = f"heads are {', '.join(heads)}: {migrations.ONE_HEAD}"
    return [Finding(known[head].path, 1, "one head", remedy) for head in heads[1:]]


def _squawked(path: Path) -> Iterator[Finding]:
    text = ""
    lines: list[int] = []  # of the migration, by line of the SQL
    for line, sql in [(0, f"{TIMEOUTS}BEGIN;"), *statements(path), (0, "COMMIT;")]:
        text += f"{sql}\n"
        lines += [line] * (sql.count("\n") + 1)
    for found in _squawk(text):
        sentence = " ".join(filter(None, (found["message"], found["help"])))
        yield Finding(path, lines[found["line"]], found["rule_name"], sentence)


def _squawk(sql: str) -> list[dict[str, Any]]:
    """By the rules for the PostgreSQL of the configuration. Raises Exit where squawk itself fails."""
    version = configuration.load("testing", environ={}, missing_secrets="show").images["postgres"].rpartition(":")[2]
    ran = subprocess.run(
        [Path(sys.executable).with_name("squawk"), "--pg-version", version.partition("-")[0], "--reporter", "json"],
        cwd=project.ROOT, input=sql, capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        found: list[dict[str, Any]] = json.loads(ran.stdout)
    except json.JSONDecodeError:
        raise Exit(f"squawk: {(ran.stderr or ran.stdout).strip()}", code=1) from None
    return found


def _operations(path: Path) -> Iterator[_Operation]:
    """Those of upgrade(), each with the waivers on its lines and in the comment above it."""
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


def _is_let_through(finding: Finding, operations: list[_Operation]) -> bool:
    for operation in operations:
        for waiver in operation.waivers:
            if operation.first <= finding.line <= operation.last and waiver.rule == finding.rule:
                waiver.used = True
                return True
    return False


def _line_in(path: str) -> int:
    """Of the nearest caller that is in that file; 0 where none is."""
    return next((line for frame, line in traceback.walk_stack(None) if frame.f_code.co_filename == path), 0)
