"""Plot of a drill over time: responses, response times and failures, with the faults as bands."""

from collections.abc import Callable, Sequence
from html import escape
from math import ceil, log10

from groundwork.production.drill import buckets
from groundwork.production.drill.buckets import Moment
from groundwork.production.drill.impact import Impact
from groundwork.production.load.attempt import Attempt

WIDTH, LEFT, RIGHT, TOP, PANEL, GAP, BOTTOM = 1000, 70, 16, 52, 120, 34, 26
FASTEST, SLOWEST = 0.001, 10.0
"""Lower limit, and minimum upper limit, of the logarithmic axis of seconds."""
STEPS = (1, 2, 5)


def plot(attempts: Sequence[Attempt], impacts: Sequence[Impact]) -> str:
    """Return an SVG; empty if nothing was sent."""
    found = buckets.of(attempts)
    if not found:
        return ""
    begin = min(each.start for each in attempts)
    length = max(found[-1].at + 1, *(impact.strike.ended - begin for impact in impacts), 1)

    def x(at: float) -> float:
        return LEFT + at / length * (WIDTH - LEFT - RIGHT)

    height = TOP + 3 * PANEL + 2 * GAP + BOTTOM
    bottoms = [TOP + PANEL + index * (PANEL + GAP) for index in range(3)]
    drawn = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="requests over time">']
    drawn += [_band(number, impact, begin, x, bottoms[-1]) for number, impact in enumerate(impacts, 1)]
    drawn += _bars("answered a second", "answered", found, lambda moment: moment.answered, x, bottoms[0])
    drawn += _curves(found, x, bottoms[1])
    drawn += _bars("failed a second", "failed", found, lambda moment: moment.failed, x, bottoms[2])
    every = next(step for step in (10, 20, 30, 60, 120, 300, 600, 3600) if length / step <= 15 or step == 3600)
    drawn += [
        f'<text x="{x(at):.1f}" y="{bottoms[-1] + 18}" text-anchor="middle">{at} s</text>'
        for at in range(0, ceil(length), every)
    ]
    return "\n".join([*drawn, "</svg>"])


def _band(number: int, impact: Impact, begin: float, x: Callable[[float], float], bottom: float) -> str:
    strike = impact.strike
    left, right = x(strike.began - begin), x(strike.restored - begin)
    kind = "band bad" if impact.problems else "band"
    return (
        f'<g><title>{escape(strike.fault)}</title><rect class="{kind}" x="{left:.1f}" y="{TOP - 28}" '
        f'width="{max(right - left, 2):.1f}" height="{bottom - TOP + 28}"/>'
        f'<text class="number" x="{(left + right) / 2:.1f}" y="{TOP - 34}" text-anchor="middle">{number}</text></g>'
    )


def _bars(
    title: str,
    kind: str,
    found: Sequence[Moment],
    of: Callable[[Moment], int],
    x: Callable[[float], float],
    bottom: float,
) -> list[str]:
    most = _ceiling(max(of(moment) for moment in found))
    drawn = [_title(title, bottom)]
    for value in (0, most / 2, most):
        drawn += _line(bottom - value / most * PANEL, f"{value:g}")
    for moment in found:
        if value := of(moment):
            tall = value / most * PANEL
            drawn.append(
                f'<rect class="{kind}" x="{x(moment.at):.1f}" y="{bottom - tall:.1f}" '
                f'width="{max(x(1) - x(0) - 0.5, 0.5):.1f}" height="{tall:.1f}">'
                f"<title>{value:,} at {moment.at} s</title></rect>"
            )
    return drawn


def _curves(found: Sequence[Moment], x: Callable[[float], float], bottom: float) -> list[str]:
    top = max(SLOWEST, *(moment.slow for moment in found))
    low, high = log10(FASTEST), log10(top)

    def y(seconds: float) -> float:
        return bottom - (log10(max(seconds, FASTEST)) - low) / (high - low) * PANEL

    drawn = [_title("seconds to the answer: median, 99 of 100", bottom)]
    for power in range(round(low), int(high) + 1):
        drawn += _line(y(10**power), f"{10**power:g} s")
    for run in _runs(found):
        middles = [x(moment.at + 0.5) for moment in run]
        for kind, curve in (("slow", [moment.slow for moment in run]), ("median", [moment.median for moment in run])):
            points = " ".join(f"{at:.1f},{y(seconds):.1f}" for at, seconds in zip(middles, curve, strict=True))
            drawn.append(f'<polyline class="curve {kind}" points="{points}"/>')
    return drawn


def _runs(found: Sequence[Moment]) -> list[list[Moment]]:
    """Split the moments at seconds in which no attempt ended: the curve has a gap there."""
    runs: list[list[Moment]] = [[]]
    for moment in found:
        if moment.answered + moment.failed:
            runs[-1].append(moment)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _title(text: str, bottom: float) -> str:
    return f'<text class="title" x="{LEFT}" y="{bottom - PANEL - 8:.1f}">{text}</text>'


def _line(y: float, label: str) -> list[str]:
    return [
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>',
        f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>',
    ]


def _ceiling(value: float) -> float:
    """Return the next round number."""
    power = 10.0 ** int(log10(max(value, 1)))
    return next((step * power for step in STEPS if step * power >= value), 10 * power)
