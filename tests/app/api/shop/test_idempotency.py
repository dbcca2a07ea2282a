"""The header Idempotency-Key of POST /api/orders."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.accounts import users
from app.shop import orders, products
from app.shop.models import Order, Product
from groundwork.testing.service import Database, wait_until
from tests.accounts import token
from tests.app.api.conftest import Shop

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
WAITING_FOR_A_LOCK = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
END_WHO_WAITS_FOR_MUGS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock' AND query LIKE 'SELECT products%'"
)

Send = Callable[[], TestResponse]


def test_the_same_request_is_one_order_and_one_answer(client: FlaskClient, session: Session, shop: Shop) -> None:
    first = send(client, shop)
    orders.pay(session, session.scalars(select(Order.id)).one())
    session.commit()

    again = send(client, shop)

    assert first.status_code == again.status_code == 201
    assert first.data == again.data
    assert first.headers["Location"] == again.headers["Location"]
    assert first.content_type == again.content_type == "application/json"
    assert placed(session) == 1


def test_a_body_that_is_laid_out_in_another_way_is_the_same(client: FlaskClient, session: Session, shop: Shop) -> None:
    first = send(client, shop)
    laid_out = json.dumps(dict(reversed(body(shop).items())), indent=4)

    again = client.post("/api/orders", data=laid_out, headers={"Idempotency-Key": KEY}, content_type="application/json")

    assert again.data == first.data
    assert placed(session) == 1


def test_another_body_is_refused(client: FlaskClient, session: Session, shop: Shop) -> None:
    send(client, shop)

    refused = send(client, shop, quantity=2)

    assert refused.status_code == 422
    assert refused.mimetype == "application/problem+json"
    assert refused.json is not None
    assert refused.json["type"] == "urn:problem-type:shop:idempotency-key-reused"
    assert refused.json["key"] == KEY
    assert placed(session) == 1


def test_without_a_key_each_request_is_an_order(client: FlaskClient, session: Session, shop: Shop) -> None:
    for _ in range(2):
        assert client.post("/api/orders", json=body(shop)).status_code == 201

    assert placed(session) == 2


def test_the_key_of_another_user_is_another_key(client: FlaskClient, session: Session, shop: Shop) -> None:
    bruno = users.register(session, "bruno@example.com", "Bruno")
    session.commit()

    answers = [send(client, shop), send(client, replace(shop, ada=bruno.id))]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert placed(session) == 2


def test_what_was_refused_may_be_tried_again(client: FlaskClient, session: Session, shop: Shop) -> None:
    refused = send(client, shop, quantity=11)
    products.find(session, shop.mug).stock = 11
    session.commit()

    assert refused.status_code == 409
    assert send(client, shop, quantity=11).status_code == 201


def test_nobody_unknown_uses_a_key(client: FlaskClient, shop: Shop) -> None:
    assert send(client, replace(shop, ada=2**63 - 1)).status_code == 404


@pytest.mark.parametrize("key", [KEY, "x" * 255, "urn:order:7/2+3=5"])
def test_quotes_do_not_belong_to_a_key(client: FlaskClient, session: Session, shop: Shop, key: str) -> None:
    answers = [send(client, shop, key=key), send(client, shop, key=f'"{key}"')]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert placed(session) == 1


@pytest.mark.parametrize(
    "key", ["", '""', "x" * 256, "two words", '"', '"half', 'in"side', "back\\slash", "caf\xe9", "\0"]
)
def test_a_key_that_is_none_is_told_how_one_looks(client: FlaskClient, session: Session, shop: Shop, key: str) -> None:
    refused = send(client, shop, key=key)

    assert refused.status_code == 400
    assert refused.mimetype == "application/problem+json"
    assert refused.json is not None
    assert "Idempotency-Key should be 1 to 255 printable ASCII characters" in refused.json["detail"]
    assert placed(session) == 0


def test_of_two_at_once_the_second_waits_and_gets_the_order_of_the_first(database: Database) -> None:
    shop, send_it = last_piece(database)

    with held_shelf(database, shop) as waiting:
        answers = waiting(send_it, send_it)

    first, second = (answer.result() for answer in answers)
    assert first.status_code == second.status_code == 201
    assert first.data == second.data
    with database.session() as session:
        assert placed(session) == 1


def test_of_two_at_once_the_second_is_tried_where_the_first_is_lost(database: Database) -> None:
    shop, send_it = last_piece(database)

    with held_shelf(database, shop) as waiting:
        first, second = waiting(send_it, send_it)
        with database.session() as session:
            session.execute(END_WHO_WAITS_FOR_MUGS)
        wait_until(first.done)

    assert first.result().status_code == 503
    assert second.result().status_code == 201
    with database.session() as session:
        assert placed(session) == 1


def send(
    client: FlaskClient, shop: Shop, quantity: int = 1, key: str = KEY, token: dict[str, str] | None = None
) -> TestResponse:
    return client.post("/api/orders", json=body(shop, quantity), headers={"Idempotency-Key": key, **(token or {})})


def body(shop: Shop, quantity: int = 1) -> dict[str, Any]:
    return {"user_id": shop.ada, "lines": [{"product_id": shop.mug, "quantity": quantity}]}


def placed(session: Session) -> int:
    return session.scalars(select(func.count(Order.id))).one()


def last_piece(database: Database) -> tuple[Shop, Send]:
    """Create a shop with one mug. Return it with a function that orders the mug."""
    app = database.app()
    with database.session() as session:
        ada = users.register(session, "ada@example.com", "Ada")
        mug = products.add(session, "MUG-01", "Mug", 1800, 1)
        shop = Shop(ada.id, mug.id, mug.id, token(session, ada))
        session.commit()
    return shop, lambda: send(app.test_client(), shop, token=shop.token)


@contextmanager
def held_shelf(database: Database, shop: Shop) -> Iterator[Callable[..., list["Future[TestResponse]"]]]:
    """Lock the mug. Yield a function that sends requests, each once the previous one waits for the lock."""
    with ThreadPoolExecutor() as senders, database.session() as watcher, database.session() as holder:
        watcher.connection(execution_options={"isolation_level": "AUTOCOMMIT"})

        def waiting(*requests: Send) -> list["Future[TestResponse]"]:
            answers = []
            for request in requests:
                answers.append(senders.submit(request))
                wait_until(lambda: watcher.scalar(WAITING_FOR_A_LOCK) == len(answers))
            return answers

        holder.scalars(select(Product).where(Product.id == shop.mug).with_for_update()).one()
        try:
            yield waiting
        finally:
            holder.rollback()  # before the senders are waited for
