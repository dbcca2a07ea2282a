"""Fixtures for a real browser on the desk, with the first week of a shop as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from groundwork.testing.service import Database
from tests import browser
from tests.app.backoffice.conftest import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    Open = Callable[..., "Screen"]


@dataclass(frozen=True)
class Screen:
    page: Page
    complaints: list[str] = field(default_factory=list)
    """Console messages of the browser, such as violations of the content security policy."""

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type into the focused field. Wait for the focus, which a new page sets a moment after loading."""
        self.page.locator("input:focus, select:focus, textarea:focus").wait_for()
        self.page.keyboard.type(text)

    @property
    def focused(self) -> str:
        """Name of the focused element: the label of a field, or the text of a link or button."""
        return str(
            self.page.evaluate("""() => {
            const it = document.activeElement
            return (it.labels?.[0] ?? it).textContent.trim().replace(/\\s+/g, ' ')
        }""")
        )

    def tab_to(self, name: str) -> None:
        """Press Tab until the element has the focus. Raise AssertionError after 80 times."""
        passed = []
        for _ in range(80):
            self.press("Tab")
            passed.append(self.focused)
            if passed[-1] == name:
                return
        raise AssertionError(f"the keyboard does not reach {name!r}: {passed}")

    def enter(self) -> None:
        """Press Enter and wait for the next page."""
        with self.page.expect_navigation():
            self.press("Enter")

    def choose(self, name: str) -> None:
        """Activate a link or button by keyboard and wait for the next page."""
        self.tab_to(name)
        self.enter()

    def sign_in(self) -> None:
        self.page.goto("/sign-in")
        self.type("grace@example.com")
        self.press("Tab")
        self.type(PASSWORD)
        self.enter()

    def keep(self, name: str) -> None:
        browser.SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=browser.SCREENSHOTS / f"{name}.png", full_page=True)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with browser.started() as started:
        yield started


@pytest.fixture
def address(database: Database) -> Iterator[str]:
    """Serve the test's database and yield the URL."""
    server = make_server("127.0.0.1", 0, database.app(), threaded=True, request_handler=Silent)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def open_screen(chromium: Browser, address: str) -> Iterator[Open]:
    """Yield a function that opens a screen with arguments of Playwright's `new_context`."""
    contexts = []

    def open_screen(**arguments: Any) -> Screen:
        contexts.append(chromium.new_context(base_url=address, **arguments))
        contexts[-1].set_default_timeout(10_000)
        screen = Screen(contexts[-1].new_page())
        screen.page.on("console", lambda message: screen.complaints.append(message.text))
        return screen

    yield open_screen
    for context in contexts:
        context.close()


class Silent(WSGIRequestHandler):
    def log(self, *_: Any, **__: Any) -> None:
        pass
