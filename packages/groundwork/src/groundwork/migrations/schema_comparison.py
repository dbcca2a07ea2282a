"""Comparison of CHECK constraints and indexes for Alembic's autogenerate.

Alembic compares CHECK constraints only by name, and neither the predicate of an index nor all of its expressions.
Here PostgreSQL parses the models' definitions on an empty copy of the table; its catalog shows both in one notation.
"""

from typing import Any, cast

from alembic.ddl._autogen import ComparisonResult
from alembic.ddl.postgresql import PostgresqlImpl
from sqlalchemy import CheckConstraint, Connection, Index, Table, TextClause, text
from sqlalchemy.dialects.postgresql import dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, CreateTable


def is_created(item: object, _name: str | None, kind: str, _is_reflected: bool, _compared: object) -> bool:
    """Return False for the CHECK constraint of a native PostgreSQL type, such as Boolean: none is created."""
    if kind != "check_constraint" or not isinstance(item, CheckConstraint) or item._create_rule is None:
        return True
    compiler = CreateTable(item.table).compile(dialect=dialect())  # type: ignore[no-untyped-call]  # SQLAlchemy's
    return bool(item._create_rule(compiler))


OPTIONS: dict[str, Any] = {
    # Alembic's default comparisons, and its comparison of CHECK constraints, which must be listed.
    "autogenerate_plugins": ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
    "include_object": is_created,
}

CHECK = text("""
    SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint
    WHERE conrelid = CAST(:table AS regclass) AND conname = :name
""")
INDEX = text("""
    SELECT concat(CASE WHEN indisunique THEN 'UNIQUE' END, substring(pg_get_indexdef(indexrelid) FROM ' USING .*'))
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE indrelid = CAST(:table AS regclass) AND relname = :name
""")
SCHEMA = "pg_temp"


class Implementation(PostgresqlImpl):
    __dialect__ = "postgresql"  # registers this class in place of Alembic's own

    def compare_check_constraint(
        self, metadata_constraint: CheckConstraint, reflected_constraint: CheckConstraint
    ) -> ComparisonResult:
        name, table = str(reflected_constraint.name), reflected_constraint.table
        literally = {"include_table": False, "literal_binds": True}
        rule = metadata_constraint.sqltext.compile(dialect=self.dialect, compile_kwargs=literally)
        added = f"ALTER TABLE {self._copy_of(table)} ADD CONSTRAINT {self._quoted(name)} CHECK ({rule})"
        return self._compare(CHECK, table, name, added)

    def compare_indexes(self, metadata_index: Index, reflected_index: Index) -> ComparisonResult:
        table = cast(Table, metadata_index.table)
        created = CreateIndex(metadata_index).compile(
            dialect=self.dialect, schema_translate_map={table.schema: SCHEMA}, render_schema_translate=True
        )
        # In a transaction, an index cannot be built concurrently.
        statement = str(created).replace("INDEX CONCURRENTLY ", "INDEX ", 1)
        return self._compare(INDEX, table, str(reflected_index.name), statement)

    def _compare(self, definition: TextClause, table: Table, name: str, statement: str) -> ComparisonResult:
        """Compare the table's definition with the one that `statement` creates on a copy, then roll back the copy."""
        connection = cast(Connection, self.connection)
        original, copy = self.dialect.identifier_preparer.format_table(table), self._copy_of(table)
        existing = connection.scalar(definition, {"table": original, "name": name})
        with connection.begin_nested() as savepoint:
            try:
                connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {copy} (LIKE {original})")
                connection.exec_driver_sql(statement)
                wanted = connection.scalar(definition, {"table": copy, "name": name})
            except DBAPIError as error:  # for example, a column is still missing
                wanted = str(error.orig)
            savepoint.rollback()
        return ComparisonResult.Equal() if existing == wanted else ComparisonResult.Different(f"{existing} to {wanted}")

    def _copy_of(self, table: Table) -> str:
        return f"{SCHEMA}.{self._quoted(table.name)}"

    def _quoted(self, name: str) -> str:
        return self.dialect.identifier_preparer.quote(name)
