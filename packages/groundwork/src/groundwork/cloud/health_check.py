"""Health check for the version that a URL serves."""

import json
import time
import urllib.error
import urllib.request
from http.client import HTTPException

from groundwork.system.errors import Exit

POLL_SECONDS = 1
SECONDS_TO_ANSWER = 5
SECONDS_TO_ARRIVE = 60
"""A stable service answers immediately; a new DNS name or certificate needs time."""


def wait_for(version: str, url: str, seconds: float = SECONDS_TO_ARRIVE) -> None:
    """Wait until /healthz returns the version. Raise Exit with the last answer after `seconds`."""
    deadline = time.monotonic() + seconds
    while (found := ask(url)) != version:
        if time.monotonic() > deadline:
            raise Exit(
                f"{url}/healthz should answer with the version {version}, but {found}, after {seconds:.0f} s", code=1
            )
        time.sleep(POLL_SECONDS)


def ask(url: str) -> str:
    """Return the version from /healthz, or a phrase that says why there is none."""
    request = urllib.request.Request(f"{url.rstrip('/')}/healthz")  # noqa: S310  the URL comes from Terraform or the caller
    try:
        with urllib.request.urlopen(request, timeout=SECONDS_TO_ANSWER) as answered:  # noqa: S310  same URL
            return str(json.load(answered)["version"])
    except urllib.error.HTTPError as error:
        return f"answers with {error.code}"
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        return f"does not ({error})"
