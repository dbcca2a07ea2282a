"""Which version answers at an address."""

import json
import time
import urllib.error
import urllib.request
from http.client import HTTPException

from invoke.exceptions import Exit

POLL_SECONDS = 1
SECONDS_TO_ANSWER = 5
SECONDS_TO_ARRIVE = 60
"""A service that is stable answers at once; a name or a certificate that is new takes its time."""


def wait_for(version: str, url: str, seconds: float = SECONDS_TO_ARRIVE) -> None:
    """Raises Exit, with what answered instead, where that version does not."""
    deadline = time.monotonic() + seconds
    while (found := ask(url)) != version:
        if time.monotonic() > deadline:
            raise Exit(
                f"{url}/healthz should answer with the version {version}, but {found}, after {seconds:.0f} s", code=1
            )
        time.sleep(POLL_SECONDS)


def ask(url: str) -> str:
    """The version, else why there is none."""
    request = urllib.request.Request(f"{url.rstrip('/')}/healthz")  # noqa: S310  Terraform's or the caller's own
    try:
        with urllib.request.urlopen(request, timeout=SECONDS_TO_ANSWER) as answered:  # noqa: S310  likewise
            return str(json.load(answered)["version"])
    except urllib.error.HTTPError as error:
        return f"answers with {error.code}"
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        return f"does not ({error})"
