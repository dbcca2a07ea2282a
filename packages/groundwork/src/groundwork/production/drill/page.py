"""HTML report of a drill; the page loads nothing from a network."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from groundwork.production.drill import table, timeline
from groundwork.production.drill.impact import Impact
from groundwork.production.drill.runner import Outcome

STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --line: #d1d9e0; --ours: #1a7f64; --bad: #cf222e;
        --band: #59636e }
@media (prefers-color-scheme: dark) {
  :root { --ink: #f0f6fc; --soft: #9198a1; --line: #3d444d; --ours: #3fb68b; --bad: #f85149; --band: #9198a1 }
}
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; color: var(--ink);
       max-width: 1080px; margin: 2.5rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem }
p { color: var(--soft); margin: .25rem 0 } .bad { color: var(--bad) } .good { color: var(--ours) }
svg { width: 100%; height: auto; margin: 1.5rem 0 } svg text { font-size: 12px; fill: var(--soft) }
svg .title { font-weight: 600; fill: var(--ink) } svg .number { font-weight: 600; fill: var(--ink) }
.grid { stroke: var(--line) } .answered { fill: var(--ours) } .failed { fill: var(--bad) }
.curve { fill: none; stroke: var(--ours); stroke-width: 1.5 } .curve.slow { stroke: var(--soft) }
svg .band { fill: var(--band); fill-opacity: .14 } svg .band.bad { fill: var(--bad); fill-opacity: .2 }
.scroll { overflow-x: auto } table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100% }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top }
th { font-size: 12px; color: var(--soft); white-space: nowrap } .figure { text-align: right; white-space: nowrap }
"""
HEADER = ("", *(name.capitalize() for name in table.HEADER))
FIGURES = range(HEADER.index("S of impact"), HEADER.index("Slowest") + 1)


def write(path: Path, outcome: Outcome) -> None:
    rows = "".join(_row(number, impact) for number, impact in enumerate(outcome.impacts, 1))
    header = "".join(f'<th class="{_kind(index)}">{name}</th>' for index, name in enumerate(HEADER))
    verdict = '<span class="good">as expected</span>' if outcome.passed else '<span class="bad">not as expected</span>'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>A drill of the production stack</title><style>{STYLE}</style>
<h1>A drill of the production stack: {verdict}</h1>
<p>{datetime.now(UTC):%Y-%m-%d %H:%M} UTC. A band is a fault, from its beginning until nothing is broken any more.</p>
{_paragraphs(table.sentences(outcome))}
{timeline.plot(outcome.attempts, outcome.impacts)}
<div class="scroll"><table><tr>{header}</tr>{rows}</table></div>
</html>
""",
        "utf-8",
    )


def _row(number: int, impact: Impact) -> str:
    cells = [str(number), *table.row(impact)]
    last = len(cells) - 1
    ways = "".join(f"<br>{count:,} × {escape(fault)}" for fault, count in impact.faults.most_common())
    return "".join(
        [
            "<tr>",
            *(
                f'<td class="{_kind(index)}{" bad" if index == last and impact.problems else ""}">{escape(cell)}'
                f"{ways if index == last - 1 else ''}</td>"
                for index, cell in enumerate(cells)
            ),
            "</tr>",
        ]
    )


def _kind(column: int) -> str:
    return "figure" if column in FIGURES else ""


def _paragraphs(sentences: Sequence[str]) -> str:
    return "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
