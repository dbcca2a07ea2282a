"""Invalid requests get a problem document that says what to correct, and never a 500.

The service under test raises unexpected errors into the test, so that a 500 cannot go unnoticed.
"""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from groundwork.flask.testing.contract import pointers

USER: dict[str, Any] = {"email": "bruno@example.com", "name": "Bruno", "password": "correct horse"}
PRODUCT: dict[str, Any] = {"sku": "KNF-01", "name": "Knife", "price_cents": 3900, "stock": 5}

ADDRESSES = ["/api/users", "/api/products", "/api/orders"]
WRONG_TEXTS: list[object] = [None, 1, True, "", "\0", "x\0y", "x" * 1000, [], {}]


@pytest.mark.parametrize(
    "name", ["{}", "\u00e9{}" + "x" * 1_000, "{}" + "/~" * 10_000], ids=["short", "long", "longer"]
)
def test_an_answer_names_twenty_errors_and_says_how_many_more_there_are(client: FlaskClient, name: str) -> None:
    names = [name.format(number) for number in range(min(50_000 // len(name.encode()), 3_000))] + ["last"]

    answers = [
        client.post("/api/tokens", json=dict.fromkeys(names, 1)),
        client.get("/api/products", query_string=dict.fromkeys(names, "x")),
    ]

    for answer in answers:
        problem = answer.get_json()
        assert answer.status_code == 422
        assert len(problem["errors"]) == min(20, len(problem["errors"]) + problem["more"])
        assert len(answer.data) < 20_000
    body, query = (answer.get_json() for answer in answers)
    assert len(body["errors"]) + body["more"] == len(names) + 2  # that are missing
    assert len(query["errors"]) + query["more"] == len(names)


@pytest.mark.parametrize("address", [*ADDRESSES, "/api/tokens", "/api/orders/1", "/api/products/1", "/api/users/1"])
def test_a_method_that_an_address_has_not_is_answered_as_promised(client: FlaskClient, address: str) -> None:
    answer = client.open(address, method="PROPFIND")

    assert answer.status_code == 405
    assert "PROPFIND" not in answer.allow


@pytest.mark.parametrize("field", ["email", "name"])
@pytest.mark.parametrize("value", WRONG_TEXTS, ids=repr)
def test_a_user_has_no_such(client: FlaskClient, field: str, value: object) -> None:
    answer = client.post("/api/users", json={**USER, field: value})

    assert (answer.status_code, pointers(answer.json)) == (422, [f"#/{field}"])


def test_a_name_that_is_too_long_as_it_was_sent_is_refused(client: FlaskClient) -> None:
    answer = client.post("/api/users", json={**USER, "name": " " + "x" * 200})

    assert (answer.status_code, pointers(answer.json)) == (422, ["#/name"])


@pytest.mark.parametrize("email", ["x", "x@", "@example.com", "a b@example.com", "a@b", "x" * 250 + "@example.com"])
def test_this_is_no_address(client: FlaskClient, email: str) -> None:
    answer = client.post("/api/users", json={**USER, "email": email})

    assert (answer.status_code, pointers(answer.json)) == (422, ["#/email"])


@pytest.mark.parametrize("field", ["sku", "name"])
@pytest.mark.parametrize("value", WRONG_TEXTS, ids=repr)
def test_a_product_is_not_called(client: FlaskClient, field: str, value: object) -> None:
    answer = client.post("/api/products", json={**PRODUCT, field: value})

    assert (answer.status_code, pointers(answer.json)) == (422, [f"#/{field}"])


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("body", ["[]", "null", '"text"', "1", "true", "[{}]"])
def test_a_body_is_an_object(client: FlaskClient, address: str, body: str) -> None:
    answer = client.post(address, data=body, content_type="application/json")

    assert (answer.status_code, pointers(answer.json)) == (422, ["#"])


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{'a': 1}",
        b'{"name": "Ada",}',
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b"\xff\xfe{\x00}\x00",
        b"\x00",
        b'{"stock": ' + b"9" * 5000 + b"}",
        b"[" * 60_000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_json_is_refused_as_such(client: FlaskClient, address: str, body: bytes) -> None:
    answer = client.post(address, data=body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    assert "JSON" in json.loads(answer.data)["detail"]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("content_type", [None, "", "text/plain", "application/x-www-form-urlencoded", "nonsense"])
def test_another_kind_of_body_is_refused(client: FlaskClient, address: str, content_type: str | None) -> None:
    answer = client.post(address, data=json.dumps(USER), content_type=content_type)

    assert answer.status_code == 415
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_body_of_more_than_a_megabyte_is_not_read(client: FlaskClient, address: str) -> None:
    answer = client.post(address, data=b'"' + b"x" * 1_100_000 + b'"', content_type="application/json")

    assert answer.status_code == 413
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("address", ["/api/products", "/api/orders"])
def test_every_wrong_parameter_is_named_at_once(client: FlaskClient, address: str) -> None:
    answer = client.get(f"{address}?limit=0&cursor=x&colour=red")

    assert answer.status_code == 422
    assert answer.json is not None
    assert [error["parameter"] for error in answer.json["errors"]] == ["limit", "cursor", "colour"]


@pytest.mark.parametrize("address", ["/api/products", "/api/orders"])
@pytest.mark.parametrize("value", ["", "x", "1.5", "-1", "0", "%00", "%FF", str(2**63), "9" * 5000])
@pytest.mark.parametrize("parameter", ["limit", "cursor"])
def test_a_page_does_not_begin_or_end_at(client: FlaskClient, address: str, parameter: str, value: str) -> None:
    answer = client.get(f"{address}?{parameter}={value}")

    assert answer.status_code == 422


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("id_", ["0", "-1", "1.5", "x", "%00", "%FF", "٣", str(2**63), "9" * 19, "9" * 5000])
def test_nothing_has_such_an_id(client: FlaskClient, address: str, id_: str) -> None:
    answer = client.get(f"{address}/{id_}")

    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_has_the_largest_id_yet(client: FlaskClient, address: str) -> None:
    assert client.get(f"{address}/{2**63 - 1}").status_code == 404
