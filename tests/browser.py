"""The browser that tests look at pages with: the machine's own Chromium, since Playwright's needs a download."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from ops import project

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
WHERE = f"set CHROMIUM, or have one of {', '.join(NAMES)} on the PATH"
SCREENSHOTS = project.ROOT / ".local" / "reports" / "screenshots"
QUIET = ("background-networking", "component-update", "sync", "gpu")


@cache
def program() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def started() -> Iterator["Browser"]:
    """Without its sandbox, which root and containers have no leave for: it visits the tests' own service only."""
    from playwright.sync_api import sync_playwright

    arguments = ["--no-first-run", *(f"--disable-{each}" for each in QUIET)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=arguments)
        yield browser
        browser.close()
