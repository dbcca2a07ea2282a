"""Outcome of each attempt at a request."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TOO_MANY_REQUESTS = 429
UNAVAILABLE = 503
CREATED = 201
GATEWAY_TIMEOUT = 504
WORTH_RETRYING = {0, 502, 503, 504}
"""0 means no response."""


@dataclass(frozen=True, slots=True)
class Attempt:
    kind: str
    first: bool
    last: bool
    """Whether the request was not retried after this."""
    start: float
    """Epoch seconds, as Docker reports times."""
    seconds: float
    status: int
    """0 without a response; `error` says why."""
    error: str = ""
    request_id: str = ""
    retry_after: bool = False

    @property
    def end(self) -> float:
        return self.start + self.seconds

    @property
    def failed(self) -> bool:
        """Return whether the attempt failed. A 429 is no failure: it asks to slow down, and nothing was lost."""
        return not 200 <= self.status < 300 and self.status != TOO_MANY_REQUESTS

    @property
    def is_write(self) -> bool:
        return self.kind.startswith("POST ")

    @property
    def acknowledges(self) -> bool:
        """Return whether it is a write that the service accepted."""
        return self.is_write and self.status == CREATED

    @property
    def lost(self) -> bool:
        """Return whether the request failed after all retries."""
        return self.last and self.failed

    @property
    def fault(self) -> str:
        """Return the kind of failure, equal for equal failures."""
        answered = f"{self.status}{' with Retry-After' if self.retry_after else ''}"
        return self.error if self.status == 0 else answered


def write(path: Path, attempts: Iterable[Attempt]) -> None:
    """Write the attempts as CSV, in the given order: the one in which they ended."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["start", "seconds", "kind", "status", "error", "request_id", "last"])
        for each in attempts:
            start, seconds = f"{each.start:.3f}", f"{each.seconds:.4f}"
            rows.writerow([start, seconds, each.kind, each.status, each.error, each.request_id, int(each.last)])
