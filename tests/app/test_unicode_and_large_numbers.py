"""Digits and letters of any script, and numbers beyond 64 bits, in requests and responses."""

from collections.abc import Mapping

import pytest
from flask.testing import FlaskClient


def test_the_sum_of_an_order_may_exceed_64_bits(client: FlaskClient, signed_in: Mapping[str, str]) -> None:
    largest = 2**31 - 1
    headers = {"Authorization": signed_in["authorization"]}
    lines = []
    for number in range(9):
        new = {"sku": f"BIG-{number}", "name": "Big", "price_cents": largest, "stock": largest}
        created = client.post("/api/products", json=new, headers=headers).get_json()
        lines.append({"product_id": created["id"], "quantity": largest})

    placed = client.post("/api/orders", json={"lines": lines}, headers=headers)

    assert placed.status_code == 201
    assert placed.get_json()["total_cents"] == 9 * largest**2 > 2**64
    client.set_cookie("session", signed_in["cookie"].removeprefix("session="))
    for address in (placed.location, "/api/orders", "/orders", f"/orders/{placed.get_json()['id']}"):
        assert client.get(address, headers=headers).status_code == 200


@pytest.mark.parametrize("digits", ["{}", "0{}"])
def test_the_digits_of_other_scripts_name_nothing(
    client: FlaskClient, signed_in: Mapping[str, str], digits: str
) -> None:
    arabic = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    number = signed_in["product_id"]

    assert client.get(f"/api/products/{number}").status_code == 200
    assert client.get(f"/api/products/{digits.format(number).translate(arabic)}").status_code == 404


def test_a_query_may_hold_utf_8_that_is_not_escaped(client: FlaskClient) -> None:
    answer = client.get("/api/products", environ_overrides={"QUERY_STRING": "é".encode().decode("latin-1") + "=1"})

    assert answer.get_json()["errors"][0]["parameter"] == "é"
