"""/api/products"""

from flask.testing import FlaskClient


def test_a_new_product_is_where_the_answer_says(client: FlaskClient) -> None:
    mug = {"sku": "MUG-01", "name": "Mug", "price_cents": 1800, "stock": 12}

    created = client.post("/api/products", json=mug)

    assert created.status_code == 201
    assert created.json is not None
    assert mug.items() <= created.json.items()
    assert client.get(created.headers["Location"]).json == created.json


def test_a_taken_sku_is_a_conflict(client: FlaskClient) -> None:
    mug = {"sku": "MUG-01", "name": "Mug", "price_cents": 1800, "stock": 12}
    client.post("/api/products", json=mug)

    refused = client.post("/api/products", json=mug)

    assert refused.status_code == 409
    assert refused.json is not None
    assert refused.json["sku"] == "MUG-01"


def test_the_largest_numbers_are_kept(client: FlaskClient) -> None:
    created = client.post(
        "/api/products", json={"sku": "GOLD", "name": "Gold", "price_cents": 2**31 - 1, "stock": 2**31 - 1}
    )

    assert created.status_code == 201


def test_an_unknown_product_is_not_found(client: FlaskClient) -> None:
    assert client.get("/api/products/7").status_code == 404


def test_an_empty_shop_lists_nothing(client: FlaskClient) -> None:
    assert client.get("/api/products").json == {"products": [], "next": None}
