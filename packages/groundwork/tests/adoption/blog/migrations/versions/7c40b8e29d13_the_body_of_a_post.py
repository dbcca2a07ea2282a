"""the body of a post

Revision ID: 7c40b8e29d13
Revises: 1a6d0c3f5b21
"""

import sqlalchemy as sa
from alembic import op

revision = "7c40b8e29d13"
down_revision = "1a6d0c3f5b21"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("posts", sa.Column("body", sa.Text(), nullable=False))


def downgrade():
    op.drop_column("posts", "body")
