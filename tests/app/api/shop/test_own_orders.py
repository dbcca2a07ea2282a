"""Orders that a customer may see and change."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.shop import orders
from groundwork.flask.testing.contract import HeldClient
from tests.app.api.conftest import ANOTHER, OWNER, STAFF, Shop


def test_a_customer_lists_only_their_own_orders(
    anybody: HeldClient, everybody: dict[str, dict[str, str]], shop: Shop, order: int
) -> None:
    def listed(who: str, query: str = "") -> Any:
        answer = anybody.get(f"/api/orders{query}", headers=everybody[who])
        return [order["id"] for order in answer.get_json()["orders"]] if answer.status_code == 200 else answer.status

    owner = f"?user_id={shop.ada}"
    assert listed(OWNER) == listed(OWNER, owner) == listed(STAFF) == listed(STAFF, owner) == [order]
    assert listed(ANOTHER) == []
    assert listed(ANOTHER, owner) == "403 FORBIDDEN"


def test_a_customer_orders_for_nobody_else(
    anybody: HeldClient, everybody: dict[str, dict[str, str]], shop: Shop
) -> None:
    order = {"user_id": shop.ada, "lines": [{"product_id": shop.mug, "quantity": 1}]}

    assert anybody.post("/api/orders", json=order, headers=everybody[ANOTHER]).status_code == 403
    assert anybody.post("/api/orders", json=order, headers=everybody[OWNER]).status_code == 201
    for_them = anybody.post("/api/orders", json=order, headers=everybody[STAFF])
    assert for_them.get_json()["user"]["id"] == shop.ada
    trail = anybody.get(f"{for_them.headers['Location']}/events", headers=everybody[OWNER]).get_json()["events"]
    assert [(event["status"], event["by"]["name"]) for event in trail] == [("placed", "Clerk")]


@pytest.mark.parametrize("status", ["paid", "shipped"])
def test_a_customer_says_of_no_order_that_it_is_paid_or_shipped(
    anybody: HeldClient, everybody: dict[str, dict[str, str]], shop: Shop, order: int, status: str
) -> None:
    address = f"/api/orders/{order}"

    assert anybody.patch(address, json={"status": status}, headers=everybody[OWNER]).status_code == 403


@pytest.fixture
def order(session: Session, shop: Shop) -> int:
    """Return the id of an order of Ada."""
    placed = orders.place(session, shop.ada, {shop.mug: 1})
    session.commit()
    return placed.id
