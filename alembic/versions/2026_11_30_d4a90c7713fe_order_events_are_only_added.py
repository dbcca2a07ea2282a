"""Let order events and order lines only be added: the service's role may neither change nor delete them.

Role names differ between environments, and development has none: every role except the owner loses the right.
"""

from alembic import op

revision = "d4a90c7713fe"
down_revision = "6f0a3d5be812"
branch_labels = None
depends_on = None

ONLY_ADDED = ("order_events", "order_lines")
EACH_ROLE = """
DO $$
DECLARE
    role text;
BEGIN
    FOR role IN
        SELECT DISTINCT grantee::regrole FROM pg_class, aclexplode(relacl)
        WHERE pg_class.oid = '{table}'::regclass AND grantee NOT IN (relowner, 0)
    LOOP
        EXECUTE '{change} ' || role;
    END LOOP;
END $$
"""


def upgrade() -> None:
    for table in ONLY_ADDED:
        op.execute(EACH_ROLE.format(table=table, change=f"REVOKE UPDATE, DELETE ON {table} FROM"))


def downgrade() -> None:
    for table in ONLY_ADDED:
        op.execute(EACH_ROLE.format(table=table, change=f"GRANT UPDATE, DELETE ON {table} TO"))
