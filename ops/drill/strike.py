"""What was done to the stack, and when; and what may fail by it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ops.load.attempt import GATEWAY_TIMEOUT, UNAVAILABLE, Attempt

SECONDS_TO_BE_BACK = 2
SECONDS_TO_NOTICE = 10
"""A cut network tells nobody: what waits for an answer, or behind others that do, waits until the proxy gives it up."""


@dataclass
class Strike:
    """Moments are seconds of the epoch."""

    fault: str
    began: float = field(default_factory=time.time)
    struck: float = 0
    """When the harm was done, to its end."""
    restored: float = 0
    """When there was nothing broken any more."""
    ended: float = 0
    """When the next one was free to begin: what fails until then, is counted here."""
    problem: str = ""
    """Why it could not be done."""


@dataclass(frozen=True)
class Expectation:
    sentence: str
    allows: Callable[[Strike, Attempt], bool]
    """Whether such an attempt may fail; in the end, every request has to be answered."""


def _in_flight(strike: Strike, attempt: Attempt) -> bool:
    return attempt.start <= strike.struck


def _away(strike: Strike, attempt: Attempt) -> bool:
    return attempt.start <= strike.restored


def _unavailable(strike: Strike, attempt: Attempt) -> bool:
    told = attempt.status == UNAVAILABLE and attempt.retry_after
    return told and attempt.start <= strike.restored + SECONDS_TO_BE_BACK


def _unreachable(strike: Strike, attempt: Attempt) -> bool:
    given_up = attempt.status == GATEWAY_TIMEOUT and attempt.start <= strike.struck + SECONDS_TO_NOTICE
    return given_up or _unavailable(strike, attempt)


NOTHING = Expectation("nothing fails", lambda _strike, _attempt: False)
IN_FLIGHT = Expectation("only what was in work there fails, and is answered when it is sent again", _in_flight)
AWAY = Expectation("requests fail until it is back, and are answered when they are sent again", _away)
UNAVAILABLE_FOR_A_WHILE = Expectation(
    f"requests get 503 with Retry-After, and {SECONDS_TO_BE_BACK} s after it is back none do", _unavailable
)
UNREACHABLE_FOR_A_WHILE = Expectation(
    f"as with the database; 504 too, in the first {SECONDS_TO_NOTICE} s, while it is not noticed", _unreachable
)
