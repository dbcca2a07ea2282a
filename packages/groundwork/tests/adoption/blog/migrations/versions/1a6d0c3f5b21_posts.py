"""posts

Revision ID: 1a6d0c3f5b21
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "1a6d0c3f5b21"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "posts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("title"),
    )


def downgrade():
    op.drop_table("posts")
