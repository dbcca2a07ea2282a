"""The newest orders of a customer, and of those in one state, by an index each."""

from alembic import op

revision = "c37e6b20d914"
down_revision = "a1f05c92e6d8"
branch_labels = None
depends_on = None

NEW = {
    "ix_orders_user_id_created_at_id": ["user_id", "created_at", "id"],
    "ix_orders_status_created_at_id": ["status", "created_at", "id"],
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, columns in NEW.items():
            op.create_index(name, "orders", columns, postgresql_concurrently=True, if_not_exists=True)
        op.drop_index("ix_orders_user_id", "orders", postgresql_concurrently=True, if_exists=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index("ix_orders_user_id", "orders", ["user_id"], postgresql_concurrently=True, if_not_exists=True)
        for name in NEW:
            op.drop_index(name, "orders", postgresql_concurrently=True, if_exists=True)
