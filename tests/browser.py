"""Local browser for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from groundwork.system import browser as installed
from groundwork.system import paths

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SCREENSHOTS = paths.ROOT / ".local" / "reports" / "screenshots"
QUIET = ("background-networking", "component-update", "sync", "gpu")


@contextmanager
def started() -> Iterator["Browser"]:
    """Run the browser without its sandbox, which fails for root and in containers. It visits only the test service."""
    from playwright.sync_api import sync_playwright

    arguments = ["--no-first-run", *(f"--disable-{each}" for each in QUIET)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed.find(), args=arguments)
        yield browser
        browser.close()
