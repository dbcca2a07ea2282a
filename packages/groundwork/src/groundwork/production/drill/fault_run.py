"""Record of an injected fault, and the expectation of which requests may fail."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from groundwork.production.load.attempt import GATEWAY_TIMEOUT, UNAVAILABLE, Attempt

SLOWEST, SLOWEST_IF_GIVEN_UP = 10.0, 13.0
"""Limits in seconds. The proxy times out after 10 s; in this case, it may have tried another replica before."""
SECONDS_TO_BE_BACK = 2
SECONDS_TO_NOTICE = 10
"""A cut network gives no signal: requests in flight, and those queued behind them, wait for the proxy's timeout."""


@dataclass
class Strike:
    """Run of a fault. Times are epoch seconds."""

    fault: str
    began: float = field(default_factory=time.time)
    struck: float = 0
    """When the harm was complete."""
    restored: float = 0
    """When everything worked again."""
    ended: float = 0
    """When the next fault could begin; failures until then count for this one."""
    harm: str = ""
    """How the harm was observed; empty if it was not."""
    problem: str = ""
    """Why the fault could not be injected, or did not end."""


@dataclass(frozen=True)
class Expectation:
    sentence: str
    allows: Callable[[Strike, Attempt], bool]
    """Whether the attempt may fail; after retries, every request must be answered."""
    slowest: float = SLOWEST
    """Maximum seconds for a response."""
    is_felt: bool = True
    """Whether a request must be disturbed; otherwise the fault hit nothing."""
    delays: bool = False
    """Whether a slow request counts as disturbed too, not only a failed one."""

    def __str__(self) -> str:
        return f"{self.sentence}; at most {self.slowest:g} s"


def _in_flight(strike: Strike, attempt: Attempt) -> bool:
    return attempt.start <= strike.struck


def _away(strike: Strike, attempt: Attempt) -> bool:
    return attempt.start <= strike.restored


def _unavailable(strike: Strike, attempt: Attempt) -> bool:
    told = attempt.status == UNAVAILABLE and attempt.retry_after
    return told and attempt.start <= strike.restored + SECONDS_TO_BE_BACK


def _unavailable_for_writes(strike: Strike, attempt: Attempt) -> bool:
    return attempt.is_write and _unavailable(strike, attempt)


def _unreachable(strike: Strike, attempt: Attempt) -> bool:
    given_up = attempt.status == GATEWAY_TIMEOUT and attempt.start <= strike.struck + SECONDS_TO_NOTICE
    return given_up or _unavailable(strike, attempt)


def _silent(strike: Strike, attempt: Attempt) -> bool:
    return attempt.status == GATEWAY_TIMEOUT and attempt.start <= strike.restored


NOTHING = Expectation("nothing fails", lambda _strike, _attempt: False, is_felt=False)
IN_FLIGHT = Expectation(
    "only what was in work there fails, and is answered when it is sent again", _in_flight, delays=True
)
AWAY = Expectation("requests fail until it is back, and are answered when they are sent again", _away)
UNAVAILABLE_FOR_A_WHILE = Expectation(
    f"requests get 503 with Retry-After, and {SECONDS_TO_BE_BACK} s after it is back none do", _unavailable
)
UNAVAILABLE_FOR_WRITES = Expectation("the same for writes; reads are answered", _unavailable_for_writes)
UNREACHABLE_FOR_A_WHILE = Expectation(
    f"as with the database; 504 too, in the first {SECONDS_TO_NOTICE} s, while it is not noticed",
    _unreachable,
    SLOWEST_IF_GIVEN_UP,
)
LOCKED_FOR_A_WHILE = Expectation(
    "requests wait until it is over, or get 503 with Retry-After after the lock timeout", _unavailable, delays=True
)
SILENT_FOR_A_WHILE = Expectation(
    "requests wait or get 504 until it is over, and none does after", _silent, SLOWEST_IF_GIVEN_UP, delays=True
)
