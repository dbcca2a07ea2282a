"""Routes of /api/products."""

from flask.testing import FlaskClient

MUG = {"sku": "MUG-01", "name": "Mug", "price_cents": 1800, "stock": 12}


def test_a_new_product_is_where_the_answer_says(client: FlaskClient) -> None:
    created = client.post("/api/products", json=MUG)

    assert created.status_code == 201
    assert created.json is not None
    assert MUG.items() <= created.json.items()
    assert client.get(created.headers["Location"]).json == created.json


def test_a_taken_sku_is_a_conflict(client: FlaskClient) -> None:
    client.post("/api/products", json=MUG)

    refused = client.post("/api/products", json=MUG)

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


def test_a_change_needs_what_it_changes_as_it_was_seen(client: FlaskClient) -> None:
    added = client.post("/api/products", json=MUG)
    address, seen = added.headers["Location"], added.headers["ETag"]
    change = {"name": "Large mug", "price_cents": 2100, "stock": 7}

    unseen = client.put(address, json=change)
    changed = client.put(address, json=change, headers={"If-Match": seen})
    lost = client.put(address, json=change, headers={"If-Match": seen})

    assert (unseen.status_code, changed.status_code, lost.status_code) == (428, 200, 412)
    assert changed.json is not None
    assert change.items() <= changed.json.items()
    assert changed.headers["ETag"] == client.get(address).headers["ETag"] != seen


def test_a_sale_is_not_overwritten(client: FlaskClient) -> None:
    added = client.post("/api/products", json=MUG)
    assert added.json is not None
    client.post("/api/orders", json={"lines": [{"product_id": added.json["id"], "quantity": 1}]})

    change = {"name": "Mug", "price_cents": 1900, "stock": 12}
    refused = client.put(added.headers["Location"], json=change, headers={"If-Match": added.headers["ETag"]})

    assert refused.status_code == 412
    assert client.get(added.headers["Location"]).get_json()["stock"] == 11


def test_a_proxy_that_compresses_makes_no_difference_to_a_change(client: FlaskClient) -> None:
    added = client.post("/api/products", json=MUG)
    change = {"name": "Mug", "price_cents": 1900, "stock": 12}

    changed = client.put(added.headers["Location"], json=change, headers={"If-Match": f"W/{added.headers['ETag']}"})

    assert changed.status_code == 200
