"""Products at the desk."""

import re

import pytest
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.shop import orders, products
from app.shop.models import Product
from tests.app.backoffice.conftest import Desk, Shop


def test_what_runs_out_is_marked(desk: Desk, session: Session) -> None:
    products.add(session, "POT-01", "Teapot", 6400, 1)
    products.add(session, "GRD-01", "Grinder", 8900, 0)
    session.commit()

    page = desk.get("/products").text

    for shown in ("1 left", "sold out", "€ 64.00", "POT-01"):
        assert shown in page


def test_a_product_is_changed_and_that_is_said(desk: Desk, session: Session, shop: Shop) -> None:
    answer = change(desk, shop, name=" Big mug ", price="20,50", stock="12")

    assert (answer.status_code, answer.location) == (303, f"/products/{shop.mug}")
    assert "Big mug is saved." in desk.get(answer.location).text
    assert kept(session, shop) == ("Big mug", 2050, 12)


def test_what_was_sold_meanwhile_is_not_brought_back(desk: Desk, session: Session, shop: Shop) -> None:
    seen = version(desk, shop)
    orders.place(session, shop.ada, {shop.mug: 1})
    session.commit()

    answer = change(desk, shop, name="Stoneware mug", price="20.00", stock="15", seen=seen)

    assert answer.status_code == 412
    assert kept(session, shop) == ("Stoneware mug", 123450, 9)
    for shown in ("Nothing was saved", 'value="20.00"', 'value="15"', "Meanwhile: 9", "Meanwhile: 1234.50"):
        assert shown in answer.text
    assert "Meanwhile: Stoneware" not in answer.text

    again = re.search(r'name="seen" value="(\w+)"', answer.text)
    assert again
    assert change(desk, shop, name="Stoneware mug", price="20.00", stock="14", seen=again[1]).status_code == 303
    assert kept(session, shop) == ("Stoneware mug", 2000, 14)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "x" * 201),
        ("name", "a\0b"),
        ("price", ""),
        ("price", "-1"),
        ("price", "1.5"),
        ("price", "1.234,50"),
        ("price", "99999999"),
        ("price", "1e3"),
        ("price", "NaN"),
        ("stock", "-1"),
        ("stock", "1.5"),
        ("stock", "9" * 30),
        ("stock", "many"),
        ("stock", "\0"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_keeps_the_rest(
    desk: Desk, session: Session, shop: Shop, field: str, value: str
) -> None:
    answer = change(desk, shop, **{"name": "Mug", "price": "21.00", "stock": "7", field: value})

    assert answer.status_code == 422
    wrong = re.findall(
        r'id="(\w+)" name="\w+" value="[^"]*"[^>]*aria-invalid="true"\s+aria-describedby="(\w+)-hint"', answer.text
    )
    assert wrong == [(field, field)]
    assert answer.text.count("Please check: ") == 1
    assert ('value="21.00"' in answer.text) == (field != "price")
    assert kept(session, shop) == ("Stoneware mug", 123450, 10)


def test_an_error_does_not_forget_what_was_seen(desk: Desk, session: Session, shop: Shop) -> None:
    seen = version(desk, shop)
    orders.place(session, shop.ada, {shop.mug: 1})
    session.commit()

    page = change(desk, shop, name="", price="1.00", stock="1", seen=seen).text

    assert f'name="seen" value="{seen}"' in page


def test_a_long_list_goes_on(desk: Desk, session: Session, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.shop.backoffice.products.ON_A_PAGE", 1)
    products.add(session, "POT-01", "Teapot", 6400, 1)
    session.commit()

    first = desk.get("/products").text
    older = re.search(r'href="(/products\?cursor=[^"]+)"', first)
    assert older
    second = desk.get(older[1]).text

    assert ("Teapot" in first, "Stoneware mug" in first) == (True, False)
    assert ("Teapot" in second, "Stoneware mug" in second) == (False, True)
    assert "cursor" not in second


@pytest.mark.parametrize(("address", "status"), [("/products?cursor=x", 400), ("/products/99999999", 404)])
def test_an_address_of_nothing_is_told_on_a_page(desk: Desk, address: str, status: int) -> None:
    answer = desk.get(address)

    assert (answer.status_code, answer.mimetype) == (status, "text/html")


def version(desk: Desk, shop: Shop) -> str:
    found = re.search(r'name="seen" value="(\w+)"', desk.get(f"/products/{shop.mug}").text)
    assert found
    return found[1]


def change(desk: Desk, shop: Shop, *, seen: str | None = None, **fields: str) -> TestResponse:
    return desk.send(f"/products/{shop.mug}", page="/products", seen=seen or version(desk, shop), **fields)


def kept(session: Session, shop: Shop) -> tuple[str, int, int]:
    session.expire_all()
    product = session.get_one(Product, shop.mug)
    return product.name, product.price_cents, product.stock
