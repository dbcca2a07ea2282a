"""What a fault did to the requests that were answered, or not answered, while it lasted."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ops.drill.strike import Expectation, Strike
from ops.load.attempt import Attempt

SLOW = 1.0
"""Seconds after which a client wonders: from then on an answer counts as disturbed, as one that fails does."""
SAME_DISTURBANCE = 1.0
"""Two that are so close are one."""
SHOWN = 3


@dataclass(frozen=True)
class Impact:
    strike: Strike
    expectation: Expectation
    seconds: float
    requests: int
    lost: int
    """Not answered in the end."""
    retried: int
    slowest: float
    faults: Counter[str]
    """How what failed, did."""
    problems: Sequence[str]
    """Why this is not what was expected; none where it is."""


def of(strike: Strike, expectation: Expectation, attempts: Iterable[Attempt]) -> Impact:
    """By the moment in which an attempt ended: one that was under way before may have failed by it."""
    ended = [each for each in attempts if strike.began <= each.end < strike.ended]
    failed = [each for each in ended if each.failed]
    lost = sum(each.lost for each in ended)
    unexpected = Counter(each.fault for each in failed if not expectation.allows(strike, each))
    problems = [strike.problem] if strike.problem else []
    problems += [f"{lost:,} not answered in the end"] if lost else []
    problems += [f"{count:,} × {fault}" for fault, count in unexpected.most_common(SHOWN)]
    return Impact(
        strike=strike,
        expectation=expectation,
        seconds=disturbed(each for each in ended if each.failed or each.seconds > SLOW),
        requests=sum(each.first for each in ended),
        lost=lost,
        retried=sum(not each.last for each in ended),
        slowest=max((each.seconds for each in ended), default=0),
        faults=Counter(each.fault for each in failed),
        problems=problems,
    )


def disturbed(attempts: Iterable[Attempt]) -> float:
    """For how many seconds one of them was under way, or another had hardly ended."""
    spells: list[tuple[float, float]] = []
    for start, end in sorted((each.start, each.end) for each in attempts):
        if spells and start <= spells[-1][1] + SAME_DISTURBANCE:
            spells[-1] = (spells[-1][0], max(spells[-1][1], end))
        else:
            spells.append((start, end))
    return sum(end - start for start, end in spells)
