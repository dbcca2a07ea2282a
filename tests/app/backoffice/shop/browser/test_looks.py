"""Appearance and accessibility of the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # has no types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.app.backoffice.shop.browser.conftest import Open, Screen

pytestmark = [pytest.mark.browser, pytest.mark.scenario("starter")]

WIDTHS = {"wide": 1280, "narrow": 360}
COLOURS: dict[Literal["light", "dark"], dict[str, object]] = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}
"""axe-core options by color scheme. In the second scheme, only the contrast can differ."""
PAGES = {
    "orders": "/orders",
    "orders refused": "/orders?q=nonsense",
    "orders not found": "/orders?q=nobody@example.com",
    "order": "/orders/9",
    "order shipped": "/orders/1",
    "products": "/products",
    "product": "/products/7",
    "not found": "/orders/99",
    "refused by the proxy": "/desk/refused.html",
}


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_can_be_read_by_everybody_and_obeys_its_policy(open_screen: Open, width: str) -> None:
    screen = open_screen(viewport={"width": WIDTHS[width], "height": 800}, reduced_motion="reduce")

    for name in visited(screen):
        assert screen.page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width], f"{name} is too wide"
        screen.page.evaluate(Axe().axe_script)
        for colours, rules in COLOURS.items():
            screen.page.emulate_media(color_scheme=colours)
            screen.keep(f"{name.replace(' ', '-')}-{width}-{colours}")
            assert violations(screen, rules) == {}, f"{name}, {colours}"

    assert [said for said in screen.complaints if "status of" not in said] == []


def test_what_a_policy_forbids_would_be_noticed(open_screen: Open) -> None:
    screen = open_screen()
    screen.page.goto("/sign-in")

    screen.page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'alert(1)'}))")

    assert "Content Security Policy" in screen.complaints[-1]


def visited(screen: Screen) -> Iterator[str]:
    page = screen.page
    page.goto("/")
    yield "sign-in"
    screen.type("ada@example.com")
    screen.press("Tab")
    screen.type("not the password")
    screen.enter()
    yield "sign-in refused"
    screen.sign_in()
    for name, address in PAGES.items():
        page.goto(address)
        yield name
    page.goto("/orders/8")
    page.locator("summary").press("Enter")
    yield "order to cancel"
    page.goto("/products/2")
    page.locator("#price").fill("much")
    screen.enter()
    yield "product refused"
    page.goto("/products/2")
    page.locator("[name=seen]").evaluate("field => { field.value = 'what was there before' }")
    page.locator("#stock").fill("9")
    screen.enter()
    yield "product changed meanwhile"
    page.goto("/orders/7")
    page.locator("button[value=shipped]").focus()
    screen.enter()
    yield "order done"


def violations(screen: Screen, rules: dict[str, object]) -> dict[str, list[str]]:
    """Return the violations that axe-core finds, with their elements."""
    found = screen.page.evaluate("rules => axe.run({resultTypes: ['violations'], ...rules})", rules)["violations"]
    return {each["id"]: [node["html"] for node in each["nodes"]] for each in found}
