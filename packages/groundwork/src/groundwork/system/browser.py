"""Path of the installed browser for the browser tests. Playwright would download its own."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
REMEDY = f"set CHROMIUM, or install one of {', '.join(NAMES)} on the PATH"


def find() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
