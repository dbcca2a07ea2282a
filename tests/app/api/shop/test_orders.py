"""Routes of /api/orders."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.shop import products
from groundwork.flask.database import INTEGER_MAX
from tests.app.api.conftest import Shop


def test_a_new_order_is_where_the_answer_says(client: FlaskClient, shop: Shop) -> None:
    created = client.post("/api/orders", json=order(shop, (shop.mug, 2), (shop.pot, 1)))

    assert created.status_code == 201
    assert created.json is not None
    assert created.json["user"] == {"id": shop.ada, "name": "Ada"}
    assert created.json["status"] == "placed"
    assert created.json["total_cents"] == 10000
    assert [line["quantity"] for line in created.json["lines"]] == [2, 1]
    assert client.get(created.headers["Location"]).json == created.json


def test_lines_for_the_same_product_are_added_up(client: FlaskClient, shop: Shop) -> None:
    created = client.post("/api/orders", json=order(shop, (shop.mug, 2), (shop.mug, 3)))

    assert created.json is not None
    assert [line["quantity"] for line in created.json["lines"]] == [5]


def test_more_than_there_is_is_a_conflict(client: FlaskClient, session: Session, shop: Shop) -> None:
    refused = client.post("/api/orders", json=order(shop, (shop.mug, 1), (shop.pot, 2), (shop.pot, 2)))

    assert refused.status_code == 409
    assert refused.json is not None
    assert refused.json["type"] == "urn:problem-type:shop:out-of-stock"
    assert refused.json["shortages"] == [{"product_id": shop.pot, "name": "Teapot", "wanted": 4, "left": 3}]
    session.expire_all()
    assert products.find(session, shop.mug).stock == 10


def test_what_is_unknown_is_not_found_and_named(client: FlaskClient, shop: Shop) -> None:
    nobody = client.post("/api/orders", json={**order(shop, (shop.mug, 1)), "user_id": 2**63 - 1})
    nothing = client.post("/api/orders", json=order(shop, (shop.mug, 1), (2**63 - 1, 1)))

    assert (nobody.status_code, nothing.status_code) == (404, 404)
    assert nobody.json is not None
    assert nobody.json["user_id"] == 2**63 - 1
    assert nothing.json is not None
    assert nothing.json["product_ids"] == [2**63 - 1]


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "mine"}], ids=["without a key", "with a key"])
def test_of_an_unknown_user_the_goods_do_not_matter(client: FlaskClient, shop: Shop, key: dict[str, str]) -> None:
    wanted = {**order(shop, (2**63 - 1, 1)), "user_id": 2**63 - 1}

    refused = client.post("/api/orders", json=wanted, headers=key)

    assert refused.status_code == 404
    assert refused.get_json()["user_id"] == 2**63 - 1


def test_the_newest_orders_come_first_and_the_pages_follow_each_other(client: FlaskClient, shop: Shop) -> None:
    for _ in range(5):
        client.post("/api/orders", json=order(shop, (shop.mug, 1)))

    found = list(pages(client, "/api/orders?limit=2"))

    seen = [shown["id"] for page in found for shown in page]
    assert max(map(len, found)) <= 2
    assert len(seen) == 5
    assert seen == sorted(seen, reverse=True)


def pages(client: FlaskClient, address: str | None) -> Iterator[list[dict[str, Any]]]:
    """Yield this page and all following ones. Fail if a page links to an earlier one."""
    asked = set()
    while address:
        assert address not in asked
        asked.add(address)
        page = client.get(address).get_json()
        yield page["orders"]
        address = page["next"]


def order(shop: Shop, *lines: tuple[int, int]) -> dict[str, object]:
    return {
        "user_id": shop.ada,
        "lines": [{"product_id": product, "quantity": quantity} for product, quantity in lines],
    }


def test_an_order_is_paid_and_shipped_and_its_trail_tells_by_whom(client: FlaskClient, shop: Shop) -> None:
    address = client.post("/api/orders", json=order(shop, (shop.mug, 1))).headers["Location"]

    told = [client.patch(address, json={"status": status}).get_json()["status"] for status in ("paid", "shipped")]

    trail = client.get(f"{address}/events").get_json()["events"]
    assert told == ["paid", "shipped"]
    assert [(event["status"], event["by"]["name"]) for event in trail] == [
        ("placed", "Clerk"),
        ("paid", "Clerk"),
        ("shipped", "Clerk"),
    ]


def test_what_has_left_the_house_is_not_cancelled(client: FlaskClient, shop: Shop) -> None:
    address = client.post("/api/orders", json=order(shop, (shop.mug, 1))).headers["Location"]
    for status in ("paid", "shipped"):
        client.patch(address, json={"status": status})

    refused = client.patch(address, json={"status": "cancelled"})

    assert refused.status_code == 409
    assert refused.get_json()["current"] == "shipped"


def test_a_stock_is_not_counted_beyond_what_can_be_kept(client: FlaskClient, session: Session, shop: Shop) -> None:
    address = client.post("/api/orders", json=order(shop, (shop.mug, 1))).headers["Location"]
    products.find(session, shop.mug).stock = INTEGER_MAX
    session.commit()

    refused = client.patch(address, json={"status": "cancelled"})

    assert refused.status_code == 409
    assert refused.get_json()["detail"] == "The stock of Mug cannot be counted any higher."
    assert client.get(address).get_json()["status"] == "placed"


def test_pages_of_some_of_the_orders_follow_each_other(client: FlaskClient, shop: Shop) -> None:
    addresses = [client.post("/api/orders", json=order(shop, (shop.mug, 1))).headers["Location"] for _ in range(6)]
    for address in addresses[::2]:
        client.patch(address, json={"status": "paid"})

    found = pages(client, f"/api/orders?limit=2&status=paid&user_id={shop.ada}&since=2026-01-01T00:00:00Z")

    assert [shown["status"] for page in found for shown in page] == ["paid"] * 3


@pytest.mark.parametrize(
    "query", ["status=lost", "since=yesterday", "since=2026-01-01T00:00:00", "user_id=0", "cursor=x"]
)
def test_nobody_wants_such_orders(client: FlaskClient, query: str) -> None:
    refused = client.get(f"/api/orders?{query}")

    assert refused.status_code == 422
    assert [error["parameter"] for error in refused.get_json()["errors"]] == [query.partition("=")[0]]
