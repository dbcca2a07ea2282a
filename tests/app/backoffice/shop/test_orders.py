"""Orders at the desk."""

import re
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from sqlalchemy.orm import Session

from app.accounts import users
from app.shop import orders, products
from app.shop.backoffice.orders import ON_A_PAGE
from app.shop.models import Order, OrderStatus
from tests import statements
from tests.app.backoffice.conftest import Desk, Shop

NUMBERS = re.compile(r"№ (\d+)")


def test_an_order_is_listed_with_all_that_one_must_know(desk: Desk, session: Session, shop: Shop) -> None:
    order = sell(session, shop, pieces=2)
    order.created_at = datetime(2026, 3, 1, 14, 5, tzinfo=UTC)
    session.commit()

    page = desk.get("/orders").text

    for shown in (
        f"№ {order.id}",
        "2 × Stoneware mug",
        "€ 2,469.00",
        "placed",
        "1 Mar 2026, 14:05",
        "Ada &lt;script&gt;",
    ):
        assert shown in page


def test_the_newest_are_first_and_the_rest_a_link_away(desk: Desk, session: Session, shop: Shop) -> None:
    sold = [sell(session, shop, pieces=1).id for _ in range(3)]
    many = products.add(session, "TOY-01", "Toy", 100, 100)
    sold += [orders.place(session, shop.ada, {many.id: 1}).id for _ in range(ON_A_PAGE)]
    session.commit()

    first = desk.get("/orders?status=placed").text
    second = desk.get(link(first, "Older →")).text

    assert listed(first) + listed(second) == sold[::-1]
    assert "Older →" not in second
    assert "status=placed" in link(second, "← Newest")
    assert listed(desk.get(link(second, "← Newest")).text) == listed(first)


def test_a_page_that_is_just_full_leads_nowhere(desk: Desk, session: Session, shop: Shop) -> None:
    many = products.add(session, "TOY-01", "Toy", 100, 100)
    for _ in range(ON_A_PAGE):
        orders.place(session, shop.ada, {many.id: 1})
    session.commit()

    page = desk.get("/orders").text

    assert len(listed(page)) == ON_A_PAGE
    assert "Older →" not in page


def test_orders_are_found_by_status_customer_and_time(desk: Desk, session: Session, shop: Shop) -> None:
    bruno = users.register(session, "bruno@example.com", "Bruno")
    of_ada, of_bruno = sell(session, shop), sell(session, shop, to=bruno.id)
    orders.pay(session, of_ada.id)
    of_ada.created_at = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
    of_bruno.created_at = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
    session.commit()

    def found(query: str) -> list[int]:
        return listed(desk.get(f"/orders?{query}").text)

    assert found("q=ADA@example.com") == found("status=paid") == found("until=2026-03-01") == [of_ada.id]
    assert found("q=%20bruno@example.com%20&status=&since=&until=") == found("since=2026-03-02") == [of_bruno.id]
    assert found("since=2026-03-01&until=2026-03-02") == [of_bruno.id, of_ada.id]
    assert found("q=nobody@example.com") == found("status=shipped") == []


@pytest.mark.parametrize("form", ["{}", "#{}", "№ {}", " {} "])
def test_an_order_is_found_by_its_number(desk: Desk, session: Session, shop: Shop, form: str) -> None:
    order = sell(session, shop)
    session.commit()

    assert desk.get(f"/orders?q={quote(form.format(order.id))}").location == f"/orders/{order.id}"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("q=%00", 422),
        ("q=%00@example.com", 422),
        ("q=%25", 422),
        ("q=%25@%25", 200),
        ("q=' OR 1=1 --@x", 200),
        ("q=99999999999999999999999", 422),
        ("q=-1", 422),
        ("q=" + "x" * 5000 + "@example.com", 422),
        ("status=lost", 422),
        ("since=0001-01-01", 200),
        ("until=9999-12-31", 422),
        ("until=9999-12-30", 200),
        ("since=yesterday", 422),
        ("since=99999999999", 422),
        ("cursor=x", 422),
        ("cursor=%00", 422),
        ("cursor=__________8AAAAAAAAAAQ", 200),
        ("_external=1&endpoint=x&_anchor=y", 200),
        ("q=%ff", 422),
    ],
)
def test_whatever_is_looked_for_is_answered(desk: Desk, query: str, status: int) -> None:
    answer = desk.get(f"/orders?{query}")

    assert answer.status_code == status
    assert "<h1>Orders</h1>" in answer.text
    assert ("Please check" in answer.text) == (status == 422 and not query.startswith(("status", "cursor")))


def test_an_order_shows_its_goods_and_its_trail(desk: Desk, session: Session, shop: Shop) -> None:
    order = sell(session, shop, pieces=2)
    orders.pay(session, order.id)
    orders.ship(session, order.id, by=shop.grace)
    session.commit()

    page = desk.get(f"/orders/{order.id}").text

    for shown in ("MUG-01", "€ 1,234.50", "€ 2,469.00", "ada@example.com", "by Ada", "by the shop", "by Grace"):
        assert shown in page
    assert steps(page) == []


def test_the_next_steps_are_those_that_are_possible(desk: Desk, session: Session, shop: Shop) -> None:
    order = sell(session, shop)
    session.commit()

    possible = [steps(desk.get(f"/orders/{order.id}").text)]
    desk.send(f"/orders/{order.id}", page="/orders", status="paid")
    possible.append(steps(desk.get(f"/orders/{order.id}").text))

    assert possible == [["paid", "cancelled"], ["shipped", "cancelled"]]


def test_a_step_is_taken_said_and_written_down(desk: Desk, session: Session, shop: Shop) -> None:
    order = sell(session, shop, pieces=4)
    session.commit()

    answer = desk.send(f"/orders/{order.id}", page="/orders", status="cancelled")
    page = desk.get(answer.location).text

    assert (answer.status_code, answer.location) == (303, f"/orders/{order.id}")
    assert f"Order {order.id} is cancelled, and its goods are back in stock." in page
    last = orders.list_events(session, order.id)[-1]
    assert (last.status, last.by_id) == (OrderStatus.CANCELLED, shop.grace)
    session.expire_all()
    assert products.find(session, shop.mug).stock == 10


def test_who_was_slower_is_told_so(desk: Desk, session: Session, shop: Shop) -> None:
    order = sell(session, shop)
    orders.cancel(session, order.id)
    session.commit()

    page = desk.get(desk.send(f"/orders/{order.id}", page="/orders", status="paid").location).text

    assert f"Somebody was faster: order {order.id} is cancelled already. Nothing was changed." in page
    assert len(orders.list_events(session, order.id)) == 2


@pytest.mark.parametrize("status", ["", "placed", "lost"])
def test_a_step_that_there_is_not_is_refused(desk: Desk, session: Session, shop: Shop, status: str) -> None:
    order = sell(session, shop)
    session.commit()

    assert desk.send(f"/orders/{order.id}", page="/orders", status=status).status_code == 400


@pytest.mark.parametrize("address", ["/orders/99999999", "/orders/99999999999999999999"])
def test_an_order_that_there_is_not_leads_back_to_those_there_are(desk: Desk, address: str) -> None:
    answer = desk.get(address)

    assert answer.status_code == 404
    assert 'href="/orders"' in answer.text


def test_the_number_of_statements_does_not_grow_with_the_shop(desk: Desk, session: Session, shop: Shop) -> None:
    order = sell(session, shop)
    session.commit()
    pages = ["/orders", "/orders?q=ada@example.com", f"/orders/{order.id}", "/products"]
    few = [taken(desk, session, page) for page in pages]

    for number in range(2, 12):
        product = products.add(session, f"SKU-{number}", f"Thing {number}", 100, 1)
        buyer = users.register(session, f"user{number}@example.com", f"User {number}")
        orders.place(session, buyer.id, {product.id: 1})
    session.commit()
    many = [taken(desk, session, page) for page in pages]

    assert few == many
    assert few == [3, 4, 4, 2]


def sell(session: Session, shop: Shop, pieces: int = 1, to: int | None = None) -> Order:
    return orders.place(session, to or shop.ada, {shop.mug: pieces})


def listed(page: str) -> list[int]:
    return [int(number) for number in NUMBERS.findall(page)]


def steps(page: str) -> list[str]:
    return re.findall(r'name="status" value="(\w+)"', page)


def taken(desk: Desk, session: Session, address: str) -> int:
    """Return the number of statements for the page."""
    with statements.issued(session) as issued:
        assert desk.get(address).status_code == 200
    return len(issued)


def link(page: str, text: str) -> str:
    found = re.search(rf'<a href="([^"]+)"[^>]*>{text}</a>', page)
    assert found, text
    return found[1].replace("&amp;", "&")
