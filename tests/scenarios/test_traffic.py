"""Traffic of a drill: the service accepts it, and the database shows what was accepted."""

import json
from random import Random

import pytest

from groundwork.production.drill.audit import audit
from groundwork.testing import database_pool
from groundwork.testing.service import Database
from scenarios.traffic import Load
from tests import accounts

MANY = 30


@pytest.fixture
def load(database: Database) -> Load:
    """Return traffic of which MANY writes were sent."""
    with database.session() as session:
        headers = accounts.clerk(session)
        session.commit()

    def sql(script: str) -> str:
        with database_pool.connect(database.environment, database.environment["APPLICATION_DB"]) as connection:
            cursor = connection.execute(script.encode())
            values = [row[0] for row in cursor] if cursor.description else []
        return "\n".join(value if isinstance(value, str) else json.dumps(value) for value in values)

    load, client, random = Load("mark", "clerk@example.com", sql), database.app().test_client(), Random(1)  # noqa: S311  the same each time
    load.prepare()
    for path in load.READS:
        assert client.get(path, headers=headers).status_code == 200
    for _ in range(MANY):
        write = load.next_write(random)
        response = client.post(load.WRITES, json=write.body, headers={**headers, "Idempotency-Key": write.key})
        assert response.status_code == 201
        write.acknowledged = response.get_json()["id"]
    return load


def test_what_was_accepted_passes_the_audit(load: Load) -> None:
    found = audit(load, load.find(), load.broken_rules())

    assert found.passed, found
    assert found.stored == MANY


def test_a_lost_row_fails_the_audit(load: Load) -> None:
    load.sql(f"TRUNCATE {load.TABLE} CASCADE")

    assert len(audit(load, load.find(), load.broken_rules()).missing) == MANY


def test_stock_that_is_not_the_stock_from_before_without_the_sales_breaks_a_rule(load: Load) -> None:
    load.sql(f"UPDATE products SET stock = stock + 1 WHERE id = {load.goods[0]}")  # noqa: S608  a number

    assert [rule.split(":")[0] for rule in load.broken_rules()] == [f"product {load.goods[0]}"]


def test_what_was_written_is_forgotten(load: Load) -> None:
    load.forget()

    assert load.find() == {}
    assert load.sql("SELECT count(*) FROM users WHERE email LIKE 'load-%' OR email LIKE 'clerk%'") == "0"
