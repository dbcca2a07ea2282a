"""Comparison of CHECK constraints and indexes by autogenerate: real differences only, not different wording."""

from collections.abc import Callable
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Enum,
    Index,
    Integer,
    MetaData,
    NullPool,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    create_engine,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.schema import SchemaItem

from groundwork.flask.database import Base
from groundwork.migrations import schema_comparison
from groundwork.testing.service import Database

Rules = Callable[[], list[SchemaItem]]
"""Factory of schema items, because an item belongs to one table."""

SIZE = Enum("small", "big", name="size_of_a_box")


def column(name: str, *rest: Any) -> Column[Any]:
    return Column(name, Integer, *rest)


@pytest.mark.parametrize(
    "rules",
    [
        lambda: [CheckConstraint("weight BETWEEN 0 and 9 OR label like 'x%'", "weight")],
        lambda: [CheckConstraint(text("label in ('a', 'b') or char_length(label)>2"), "label")],
        lambda: [CheckConstraint("size <> 'big' OR weight > 1", "size")],
        lambda: [column("height", CheckConstraint("height > 0", "height"))],
        lambda: [Column("letter", Enum("a", "b", name="letter", native_enum=False, create_constraint=True))],
        lambda: [Column("flat", Boolean(create_constraint=True, name="flat"))],
        lambda: [CheckConstraint("weight > 0", 'a "name" with 100%')],
        lambda: [Index("few", "weight", postgresql_where=text("weight<10 AND label LIKE '%x'"))],
        lambda: [Index("big", "weight", postgresql_where=text("size = 'big'"))],
        lambda: [
            Index("labels", text("lower(label) text_pattern_ops DESC"), postgresql_include=["weight"], unique=True)
        ],
        lambda: [Index("label", func.lower(text("label")), postgresql_nulls_not_distinct=True, unique=True)],
        lambda: [Index("hashed", "label", postgresql_using="hash", postgresql_with={"fillfactor": 70})],
        lambda: [Index(None, "weight", "label")],
        lambda: [Index("a strange % name", "weight")],
    ],
)
@pytest.mark.parametrize("schema", [None, "other"])
def test_what_was_made_from_the_models_is_no_difference(
    empty_database: Database, rules: Rules, schema: str | None
) -> None:
    assert differences(empty_database, rules, rules, schema) == []


@pytest.mark.parametrize(
    ("before", "after", "seen"),
    [
        (list, lambda: [CheckConstraint("weight > 0", "weight")], {"add_constraint"}),
        (
            lambda: [Column("letter", Enum("a", name="letter", native_enum=False, create_constraint=True))],
            lambda: [Column("letter", Enum("b", name="letter", native_enum=False, create_constraint=True))],
            {"remove_constraint", "add_constraint"},
        ),
        (lambda: [CheckConstraint("weight > 0", "weight")], list, {"remove_constraint"}),
        (
            lambda: [CheckConstraint("weight > 0", "weight")],
            lambda: [CheckConstraint("weight >= 0", "weight")],
            {"remove_constraint", "add_constraint"},
        ),
        (
            lambda: [CheckConstraint("weight > 0", "weight")],
            lambda: [CheckConstraint("weight > height", "weight"), column("height")],
            {"add_column", "remove_constraint", "add_constraint"},
        ),
        (
            lambda: [Index("i", "weight")],
            lambda: [Index("i", "weight", postgresql_where=text("weight > 1"))],
            {"remove_index", "add_index"},
        ),
        (
            lambda: [Index("i", "weight", postgresql_where=text("weight > 2"))],
            lambda: [Index("i", "weight", postgresql_where=text("weight > 1"), postgresql_concurrently=True)],
            {"remove_index", "add_index"},
        ),
        (
            lambda: [Index("i", text("lower(label)"))],
            lambda: [Index("i", text("upper(label)"))],
            {"remove_index", "add_index"},
        ),
        (lambda: [Index("i", "label")], lambda: [Index("i", text("label DESC"))], {"remove_index", "add_index"}),
        (
            lambda: [Index("i", "label")],
            lambda: [Index("i", "label", postgresql_using="hash")],
            {"remove_index", "add_index"},
        ),
        (lambda: [Index("i", "label")], lambda: [Index("i", "label", unique=True)], {"remove_index", "add_index"}),
        (
            lambda: [Index("i", "label")],
            lambda: [Index("i", "label", postgresql_ops={"label": "text_pattern_ops"})],
            {"remove_index", "add_index"},
        ),
    ],
)
def test_a_difference_is_seen(empty_database: Database, before: Rules, after: Rules, seen: set[str]) -> None:
    assert set(differences(empty_database, before, after)) == seen


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(list, lambda: [ExcludeConstraint(("weight", "="), name="one", using="btree")], id="exclude"),
        pytest.param(
            lambda: [column("twice", Computed("weight * 2"))],
            lambda: [column("twice", Computed("weight * 3"))],
            id="computed",
            marks=pytest.mark.filterwarnings("ignore:Computed default"),
        ),
        pytest.param(
            lambda: [PrimaryKeyConstraint("weight", name="key")],
            lambda: [PrimaryKeyConstraint("weight", "code", name="key")],
            id="primary key",
        ),
    ],
)
def test_what_the_documentation_says_is_not_seen(empty_database: Database, before: Rules, after: Rules) -> None:
    assert set(differences(empty_database, before, after)) <= {"modify_nullable"}


def differences(database: Database, before: Rules, after: Rules, schema: str | None = None) -> list[str]:
    """Return the operations of autogenerate from `before` to `after`. Fail if temporary tables are left."""
    engine = create_engine(database.url, poolclass=NullPool)
    with engine.connect() as connection:
        if schema:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
        boxes(before, schema).create_all(connection)
        opts = {**schema_comparison.OPTIONS, "include_schemas": schema is not None}
        context = MigrationContext.configure(connection, opts=opts)
        found = compare_metadata(context, boxes(after, schema))
        assert connection.scalar(text("SELECT count(*) FROM pg_class WHERE relpersistence = 't'")) == 0
    return [str(each[0] if isinstance(each, tuple) else each[0][0]) for each in found]


def boxes(rules: Rules, schema: str | None) -> MetaData:
    metadata = MetaData(naming_convention=Base.metadata.naming_convention)
    columns: list[Column[Any]] = [
        Column("weight", Integer),
        Column("label", Text),
        Column("size", SIZE),
        Column("code", String(9)),
    ]
    Table("a box", metadata, *columns, *rules(), schema=schema)
    return metadata
