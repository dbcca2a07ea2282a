"""What became of a request, each time it was sent."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TOO_MANY_REQUESTS = 429
UNAVAILABLE = 503
GATEWAY_TIMEOUT = 504
WORTH_RETRYING = {0, 502, 503, 504}
"""0 is no answer at all."""


@dataclass(frozen=True, slots=True)
class Attempt:
    kind: str
    first: bool
    last: bool
    """Whether it was not sent again after this."""
    start: float
    """Seconds of the epoch, as the engine tells times."""
    seconds: float
    status: int
    """0 where nothing was answered; `error` tells why."""
    error: str = ""
    request_id: str = ""
    retry_after: bool = False

    @property
    def end(self) -> float:
        return self.start + self.seconds

    @property
    def failed(self) -> bool:
        """A 429 has not: it asks to slow down, and nothing was lost."""
        return not 200 <= self.status < 300 and self.status != TOO_MANY_REQUESTS

    @property
    def lost(self) -> bool:
        """Whether the request had no answer in the end, however often it was sent."""
        return self.last and self.failed

    @property
    def fault(self) -> str:
        """The same for what failed in the same way."""
        answered = f"{self.status}{' with Retry-After' if self.retry_after else ''}"
        return self.error if self.status == 0 else answered


def write(path: Path, attempts: Iterable[Attempt]) -> None:
    """As CSV, in the order in which they ended."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["start", "seconds", "kind", "status", "error", "request_id", "last"])
        for each in attempts:
            start, seconds = f"{each.start:.3f}", f"{each.seconds:.4f}"
            rows.writerow([start, seconds, each.kind, each.status, each.error, each.request_id, int(each.last)])
