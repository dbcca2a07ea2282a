"""Compare e-mail addresses by one rule: A to Z equal a to z, whatever the locale of the database.

The new index takes the name of the previous one: the running code detects a taken address by this name.
Until that code has stopped, its sign-ins read the table without an index.
"""

import sqlalchemy as sa
from alembic import op

revision = "6f0a3d5be812"
down_revision = "c37e6b20d914"
branch_labels = None
depends_on = None

NAME, NEXT = "uq_users_email", "uq_users_email_next"


def upgrade() -> None:
    create_next('lower(email COLLATE "C")')
    # lint: require-concurrent-index-deletion, one short lock: with the renaming below, the name is never missing
    op.drop_index(NAME, "users")
    # lint: renaming-object, the running code refers to the index by this name
    op.execute(f"ALTER INDEX {NEXT} RENAME TO {NAME}")


def downgrade() -> None:
    """Fail if two users have addresses that are equal by the previous rule, such as İsmail@ and ismail@."""
    create_next("lower(email)")
    op.drop_index(NAME, "users")
    op.execute(f"ALTER INDEX {NEXT} RENAME TO {NAME}")


def create_next(expression: str) -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            NEXT, "users", [sa.text(expression)], unique=True, postgresql_concurrently=True, if_not_exists=True
        )
