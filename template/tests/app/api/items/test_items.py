"""/api/items"""

from flask.testing import FlaskClient

ITEM = {"name": "A first one"}


def test_a_new_item_is_where_the_answer_says(client: FlaskClient) -> None:
    created = client.post("/api/items", json=ITEM)

    assert created.status_code == 201
    assert created.json is not None
    assert ITEM.items() <= created.json.items()
    assert client.get(created.headers["Location"]).json == created.json


def test_a_request_that_is_sent_again_is_one_item_and_one_answer(client: FlaskClient) -> None:
    first, again = (client.post("/api/items", json=ITEM, headers={"Idempotency-Key": "mine"}) for _ in range(2))
    refused = client.post("/api/items", json={"name": "Another"}, headers={"Idempotency-Key": "mine"})

    assert (first.status_code, again.status_code, refused.status_code) == (201, 201, 422)
    assert first.data == again.data
    assert [item["id"] for item in client.get("/api/items").get_json()["items"]] == [first.get_json()["id"]]


def test_every_wrong_field_is_named_at_once(client: FlaskClient) -> None:
    answer = client.post("/api/items", json={"name": " ", "colour/~ of it": "red"})

    assert answer.status_code == 422
    assert answer.get_json()["errors"] == [
        {"pointer": "#/name", "detail": "String should have at least 1 character"},
        {"pointer": "#/colour~1~0%20of%20it", "detail": "Extra inputs are not permitted"},
    ]


def test_a_long_list_goes_on(client: FlaskClient) -> None:
    names = [f"Number {number}" for number in range(3)]
    for name in names:
        client.post("/api/items", json={"name": name})

    first = client.get("/api/items?limit=2").get_json()
    second = client.get(first["next"]).get_json()

    assert [item["name"] for item in first["items"] + second["items"]] == names[::-1]
    assert second["next"] is None


def test_an_unknown_item_is_not_found(client: FlaskClient) -> None:
    assert client.get("/api/items/7").status_code == 404
