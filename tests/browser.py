"""The browser of this machine, begun for a test."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ops import project
from ops.browser import program

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SCREENSHOTS = project.ROOT / ".local" / "reports" / "screenshots"
QUIET = ("background-networking", "component-update", "sync", "gpu")


@contextmanager
def started() -> Iterator["Browser"]:
    """Without its sandbox, which root and containers have no leave for: it visits the tests' own service only."""
    from playwright.sync_api import sync_playwright

    arguments = ["--no-first-run", *(f"--disable-{each}" for each in QUIET)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=arguments)
        yield browser
        browser.close()
