<%!
def quoted(text):
    """Escape what would end the docstring, or mean something else in it; what it cannot hold is replaced."""
    text = text.encode("utf-8", "replace").decode().expandtabs()
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return "".join(each if each.isprintable() or each == "\n" else ascii(each)[1:-1] for each in escaped)
%>\
"""${message | quoted}"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
