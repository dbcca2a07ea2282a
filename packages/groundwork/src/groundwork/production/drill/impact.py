"""Impact of a fault on the requests that ended during it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from operator import attrgetter

from groundwork.production.drill.fault_run import Expectation, Strike
from groundwork.production.load.attempt import TOO_MANY_REQUESTS, Attempt

SLOW = 1.0
"""Seconds after which clients notice: a slower response counts as disturbed, as a failure does."""
SAME_DISTURBANCE = 1.0
"""Seconds: disturbances with a shorter gap count as one."""
SHARE_TO_SLOW_DOWN = 0.01
"""Maximum share of attempts with a 429: the load stays below the stack's rate limit."""
SHOWN = 3


@dataclass(frozen=True)
class Impact:
    strike: Strike
    expectation: Expectation
    seconds: float
    requests: int
    lost: int
    """Requests that failed after all retries."""
    retried: int
    refused: int
    """Attempts with a 429."""
    slowest: float
    faults: Counter[str]
    """Failed attempts by kind of failure."""
    problems: Sequence[str]
    """Deviations from the expectation; empty if it was met."""


def of(strike: Strike, expectation: Expectation, attempts: Iterable[Attempt]) -> Impact:
    """Return the impact on attempts that ended during the strike: earlier ones in flight may have failed due to it."""
    ended = [each for each in attempts if strike.began <= each.end < strike.ended]
    failed = [each for each in ended if each.failed]
    lost = sum(each.lost for each in ended)
    refused = sum(each.status == TOO_MANY_REQUESTS for each in ended)
    slow = sum(each.seconds > expectation.slowest for each in ended)
    unexpected = Counter(each.fault for each in failed if not expectation.allows(strike, each))
    problems = [
        *([strike.problem] if strike.problem else []),
        *([] if strike.harm else ["the fault hit nothing: no harm was observed"]),
        *([] if hits(strike, expectation, ended) else ["the fault hit nothing: no request was disturbed"]),
        *([f"{lost:,} not answered in the end"] if lost else []),
        *(f"{count:,} × {fault}" for fault, count in unexpected.most_common(SHOWN)),
        *([f"{slow:,} took longer than {expectation.slowest:g} s"] if slow else []),
        *([f"{refused:,} × 429"] if refused > ceil(SHARE_TO_SLOW_DOWN * len(ended)) else []),
        *([] if takes_writes_again(strike, ended) else ["no write was acknowledged after it"]),
    ]
    return Impact(
        strike=strike,
        expectation=expectation,
        seconds=disturbed(filter(_is_disturbed, ended)),
        requests=sum(each.first for each in ended),
        lost=lost,
        retried=sum(not each.last for each in ended),
        refused=refused,
        slowest=max((each.seconds for each in ended), default=0),
        faults=Counter(each.fault for each in failed),
        problems=problems,
    )


def hits(strike: Strike, expectation: Expectation, attempts: Iterable[Attempt]) -> bool:
    """Return whether the harm disturbed a request, or need not disturb one."""
    disturbs = _is_disturbed if expectation.delays else attrgetter("failed")
    return not expectation.is_felt or any(disturbs(each) for each in attempts if each.end >= strike.began)


def takes_writes_again(strike: Strike, attempts: Iterable[Attempt]) -> bool:
    """Return whether a write that was sent after the restoration is acknowledged."""
    return any(each.acknowledges for each in attempts if each.start >= strike.restored)


def _is_disturbed(attempt: Attempt) -> bool:
    return attempt.failed or attempt.seconds > SLOW


def disturbed(attempts: Iterable[Attempt]) -> float:
    """Return the total seconds of the attempts; overlaps count once, gaps up to SAME_DISTURBANCE count too."""
    spells: list[tuple[float, float]] = []
    for start, end in sorted((each.start, each.end) for each in attempts):
        if spells and start <= spells[-1][1] + SAME_DISTURBANCE:
            spells[-1] = (spells[-1][0], max(spells[-1][1], end))
        else:
            spells.append((start, end))
    return sum(end - start for start, end in spells)
