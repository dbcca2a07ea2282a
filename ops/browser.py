"""The browser of this machine that pages are looked at with: Playwright's own would have to be downloaded."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
WHERE = f"set CHROMIUM, or have one of {', '.join(NAMES)} on the PATH"


def program() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
