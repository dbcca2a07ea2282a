"""Workflow of a whole day at the desk by keyboard only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from app.shop import orders, products
from app.shop.models import OrderStatus
from groundwork.testing.service import Database
from tests.app.backoffice.conftest import PASSWORD

if TYPE_CHECKING:
    from tests.app.backoffice.shop.browser.conftest import Open, Screen

pytestmark = [pytest.mark.browser, pytest.mark.scenario("starter")]


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_day_at_the_desk(open_screen: Open, database: Database, scripts: bool) -> None:
    screen = open_screen(java_script_enabled=scripts)

    signs_in(screen)
    ships_what_is_paid(screen)
    cancels(screen)
    puts_goods_into_stock_though_somebody_was_faster(screen, database)
    signs_out(screen)

    with database.session() as session:
        assert orders.find(session, 7).status is OrderStatus.SHIPPED
        assert [(event.status, event.by and event.by.name) for event in orders.list_events(session, 12)] == [
            (OrderStatus.PLACED, "Bruno Keller"),
            (OrderStatus.CANCELLED, "Grace Novak"),
        ]
        assert products.find(session, 2).stock == 11


def signs_in(screen: Screen) -> None:
    screen.page.goto("/")
    screen.page.get_by_label("E-mail address").and_(screen.page.locator(":focus")).wait_for()
    screen.type("grace@example.com")
    screen.press("Tab")
    screen.type(PASSWORD)
    screen.choose("Sign in")
    assert heading(screen) == "Orders"


def ships_what_is_paid(screen: Screen) -> None:
    screen.tab_to("Status")
    screen.type("paid")
    screen.choose("Find")
    assert screen.page.locator("tbody .status").all_inner_texts() == ["paid"] * 3
    screen.choose("№ 7")
    assert heading(screen) == "Order 7"
    screen.choose("Mark as shipped")
    assert notice(screen) == "Order 7 is shipped."


def cancels(screen: Screen) -> None:
    screen.choose("Orders")
    screen.tab_to("Order or customer")
    screen.type("12")
    screen.enter()
    assert heading(screen) == "Order 12"
    screen.tab_to("Cancel it …")
    screen.press("Enter")
    screen.choose("Cancel order 12")
    assert notice(screen) == "Order 12 is cancelled, and its goods are back in stock."


def puts_goods_into_stock_though_somebody_was_faster(screen: Screen, database: Database) -> None:
    screen.choose("Products")
    screen.choose("Cast-iron teapot")
    with database.session() as session:
        session.execute(text("UPDATE products SET stock = 0 WHERE id = 2"))
        session.commit()
    screen.tab_to("In stock")
    screen.press("ControlOrMeta+A")
    screen.type("12")
    screen.choose("Save")
    assert "Nothing was saved" in notice(screen)
    assert screen.page.locator("#stock-hint").inner_text() == "Meanwhile: 0"
    screen.tab_to("In stock")
    screen.press("ControlOrMeta+A")
    screen.type("11")
    screen.enter()
    assert notice(screen) == "Cast-iron teapot is saved."


def signs_out(screen: Screen) -> None:
    screen.choose("Sign out")
    assert heading(screen) == "Sign in"
    screen.page.goto("/orders")
    assert heading(screen) == "Sign in"


def test_the_keyboard_skips_what_comes_on_every_page(open_screen: Open) -> None:
    screen = open_screen()
    screen.sign_in()

    screen.press("Tab")
    skipping = screen.focused
    screen.press("Enter", "Tab")

    assert (skipping, screen.focused) == ("Skip to the content", "Order or customer")


def heading(screen: Screen) -> str:
    return screen.page.locator("h1").inner_text()


def notice(screen: Screen) -> str:
    return screen.page.locator(".notice").inner_text()
