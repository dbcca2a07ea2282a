"""Products."""

import pytest
from sqlalchemy.orm import Session

from app.shop import products
from app.shop.errors import SkuTaken, UnknownProduct


def test_an_added_product_is_found(session: Session) -> None:
    mug = products.add(session, "MUG-01", "Mug", 1800, 12)

    assert products.find(session, mug.id) is mug


def test_a_sku_is_given_once(session: Session) -> None:
    mug = products.add(session, "MUG-01", "Mug", 1800, 12)

    with pytest.raises(SkuTaken) as raised:
        products.add(session, "MUG-01", "Another mug", 900, 1)

    assert raised.value.sku == "MUG-01"
    assert products.list_products(session, limit=10) == [mug]


def test_an_unknown_product_is_named(session: Session) -> None:
    with pytest.raises(UnknownProduct, match="There is no product 7"):
        products.find(session, 7)


def test_the_newest_come_first_a_page_at_a_time(session: Session) -> None:
    added = [products.add(session, f"SKU-{number}", "Thing", 100, 1) for number in range(5)]

    first = products.list_products(session, limit=2)
    second = products.list_products(session, limit=2, after=first[-1].page_key)
    third = products.list_products(session, limit=2, after=second[-1].page_key)

    assert [*first, *second, *third] == added[::-1]
