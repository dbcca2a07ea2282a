"""Database constraints, which hold for every writer."""

import pytest
from psycopg import errors
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("INSERT INTO users (email, name) VALUES ('new@example.com', '')", "ck_users_has_name"),
        ("INSERT INTO users (email, name) VALUES ('ADA@example.com', 'x')", "uq_users_email"),
        ("UPDATE products SET sku = ''", "ck_products_has_sku"),
        ("UPDATE products SET name = ''", "ck_products_has_name"),
        ("UPDATE products SET price_cents = -1", "ck_products_price_not_negative"),
        ("UPDATE products SET stock = -1", "ck_products_stock_not_negative"),
        (
            "INSERT INTO products (sku, name, price_cents, stock) VALUES ('MUG-01', 'x', 0, 0)",
            "uq_products_sku",
        ),
        ("UPDATE order_lines SET quantity = 0", "ck_order_lines_quantity_positive"),
        ("UPDATE order_lines SET unit_price_cents = -1", "ck_order_lines_unit_price_not_negative"),
        (
            "INSERT INTO order_lines SELECT order_id, product_id, 1, 1 FROM order_lines",
            "pk_order_lines",
        ),
        ("DELETE FROM users", "fk_orders_user_id"),
        ("DELETE FROM products", "fk_order_lines_product_id"),
        ("DELETE FROM orders", "fk_order_lines_order_id"),
    ],
)
def test_the_database_refuses(session: Session, one_order: None, statement: str, rule: str) -> None:
    with pytest.raises(DBAPIError) as raised:
        session.execute(text(statement))

    assert isinstance(raised.value.orig, errors.IntegrityError)
    assert raised.value.orig.diag.constraint_name == rule


def test_the_database_refuses_a_status_nobody_knows(session: Session, one_order: None) -> None:
    with pytest.raises(DBAPIError) as raised:
        session.execute(text("UPDATE orders SET status = 'lost'"))

    assert isinstance(raised.value.orig, errors.InvalidTextRepresentation)


@pytest.fixture
def one_order(session: Session) -> None:
    """Add an order by SQL only, so that no application code runs before the constraints."""
    session.execute(
        text("""
            WITH buyer AS (INSERT INTO users (email, name) VALUES ('ada@example.com', 'Ada') RETURNING id),
                 mug AS (
                    INSERT INTO products (sku, name, price_cents, stock) VALUES ('MUG-01', 'Mug', 1800, 1) RETURNING id
                 ),
                 bought AS (INSERT INTO orders (user_id, status) SELECT id, 'placed' FROM buyer RETURNING id)
            INSERT INTO order_lines SELECT bought.id, mug.id, 1, 1800 FROM bought, mug
        """)
    )
