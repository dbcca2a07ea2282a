"""Comparison of CHECK constraints and indexes for Alembic's autogenerate.

Alembic compares CHECK constraints by their names, and neither the predicate of an index nor all of its expressions.
Here PostgreSQL parses what the models say, on an empty copy of the table, and its catalog shows both in the same words.
"""

from typing import Any, cast

from alembic.ddl._autogen import ComparisonResult
from alembic.ddl.postgresql import PostgresqlImpl
from sqlalchemy import CheckConstraint, Connection, Index, Table, TextClause, text
from sqlalchemy.dialects.postgresql import dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, CreateTable


def is_created(item: object, _name: str | None, kind: str, _is_reflected: bool, _compared: object) -> bool:
    """Return False for the CHECK constraint of a type that PostgreSQL has itself, such as Boolean: none is created."""
    if kind != "check_constraint" or not isinstance(item, CheckConstraint) or item._create_rule is None:
        return True
    compiler = CreateTable(item.table).compile(dialect=dialect())  # type: ignore[no-untyped-call]  # SQLAlchemy's
    return bool(item._create_rule(compiler))


OPTIONS: dict[str, Any] = {
    # Alembic's own comparisons, and its one of CHECK constraints, which has to be named.
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
    __dialect__ = "postgresql"  # so that Alembic takes it instead of its own

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
        """Compare what the table has with what is made on a copy of it, which is rolled back."""
        connection = cast(Connection, self.connection)
        original, copy = self.dialect.identifier_preparer.format_table(table), self._copy_of(table)
        existing = connection.scalar(definition, {"table": original, "name": name})
        with connection.begin_nested() as savepoint:
            try:
                connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {copy} (LIKE {original})")
                connection.exec_driver_sql(statement)
                wanted = connection.scalar(definition, {"table": copy, "name": name})
            except DBAPIError as error:  # it needs a column that is not there yet, say
                wanted = str(error.orig)
            savepoint.rollback()
        return ComparisonResult.Equal() if existing == wanted else ComparisonResult.Different(f"{existing} to {wanted}")

    def _copy_of(self, table: Table) -> str:
        return f"{SCHEMA}.{self._quoted(table.name)}"

    def _quoted(self, name: str) -> str:
        return self.dialect.identifier_preparer.quote(name)
