"""Invalid products and orders get a problem document that says what to correct, and never a 500."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from groundwork.flask.testing.contract import pointers
from tests.app.api.conftest import Shop

PRODUCT: dict[str, Any] = {"sku": "KNF-01", "name": "Knife", "price_cents": 3900, "stock": 5}
ORDER: dict[str, Any] = {"user_id": 1, "lines": [{"product_id": 1, "quantity": 1}]}

WRONG_NUMBERS: list[object] = [None, "1", 1.0, 1.5, -1, True, 2**63, 10**30, [], {}, "\0"]


def test_every_wrong_field_is_named_at_once(client: FlaskClient) -> None:
    answer = client.post(
        "/api/products", json={"name": " ", "price_cents": -1, "stock": "many", "colour/~ of it": "red"}
    )

    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert answer.json["errors"] == [
        {"pointer": "#/sku", "detail": "Field required"},
        {"pointer": "#/name", "detail": "String should have at least 1 character"},
        {"pointer": "#/price_cents", "detail": "Input should be greater than or equal to 0"},
        {"pointer": "#/stock", "detail": "Input should be a valid integer"},
        {"pointer": "#/colour~1~0%20of%20it", "detail": "Extra inputs are not permitted"},
    ]


def test_a_wrong_field_deep_inside_is_pointed_at(client: FlaskClient) -> None:
    answer = client.post(
        "/api/orders", json={"user_id": 1, "lines": [{"product_id": 1, "quantity": 1}, {"product_id": 1}]}
    )

    assert pointers(answer.json) == ["#/lines/1/quantity"]


@pytest.mark.parametrize("field", ["price_cents", "stock"])
@pytest.mark.parametrize("value", [*WRONG_NUMBERS, 2**31], ids=repr)
def test_a_product_does_not_count(client: FlaskClient, field: str, value: object) -> None:
    answer = client.post("/api/products", json={**PRODUCT, field: value})

    assert (answer.status_code, pointers(answer.json)) == (422, [f"#/{field}"])


@pytest.mark.parametrize("value", [*(value for value in WRONG_NUMBERS if value is not None), 0], ids=repr)
def test_nobody_orders_as(client: FlaskClient, value: object) -> None:
    answer = client.post("/api/orders", json={**ORDER, "user_id": value})

    assert (answer.status_code, pointers(answer.json)) == (422, ["#/user_id"])


@pytest.mark.parametrize("field", ["product_id", "quantity"])
@pytest.mark.parametrize("value", [*WRONG_NUMBERS, 0], ids=repr)
def test_an_order_line_has_no_such(client: FlaskClient, field: str, value: object) -> None:
    answer = client.post("/api/orders", json={"user_id": 1, "lines": [{"product_id": 1, "quantity": 1, field: value}]})

    assert (answer.status_code, pointers(answer.json)) == (422, [f"#/lines/0/{field}"])


@pytest.mark.parametrize("value", [None, 1, "", {}, [], [1], [[]], [None], ORDER["lines"] * 101], ids=repr)
def test_an_order_is_not_made_of(client: FlaskClient, value: object) -> None:
    answer = client.post("/api/orders", json={**ORDER, "lines": value})

    assert answer.status_code == 422
    assert pointers(answer.json)[0].startswith("#/lines")


def test_the_largest_order_of_the_same_thing_is_refused_as_more_than_there_is(client: FlaskClient, shop: Shop) -> None:
    line = {"product_id": shop.mug, "quantity": 2**31 - 1}

    answer = client.post("/api/orders", json={"user_id": shop.ada, "lines": [line] * 100})

    assert answer.status_code == 409
