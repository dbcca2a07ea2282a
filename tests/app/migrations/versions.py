"""Migrations in alembic/versions of the project or of a checkout."""

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from tests.app.migrations.command_line import ROOT

SCRIPTS = ScriptDirectory.from_config(Config(ROOT / "alembic.ini"))
(FIRST,) = SCRIPTS.get_bases()
(HEAD,) = SCRIPTS.get_heads()


def write(checkout: Path, name: str, after: str, operations: str) -> None:
    (checkout / "alembic" / "versions" / f"{name}.py").write_text(
        f'"""{name}."""\n\nfrom alembic import op\nrevision, down_revision = "{name}", "{after}"\n\n'
        f"def upgrade():\n    {operations}\n"
    )


def revisions(checkout: Path) -> set[Path]:
    return set((checkout / "alembic" / "versions").glob("*.py"))
