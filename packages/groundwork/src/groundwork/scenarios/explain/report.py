"""HTML page that plots the time of each query against the scenario's size, without external resources."""

from collections.abc import Mapping, Sequence
from html import escape
from math import floor, log10
from pathlib import Path

from groundwork.scenarios.explain.query import Query
from groundwork.scenarios.explain.table import by_name

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 220, 64, 24, 12, 32
STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --line: #d1d9e0; --ours: #1a7f64; --warn: #9a6700 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #f0f6fc; --soft: #9198a1; --line: #3d444d; --ours: #3fb68b; --warn: #d29922 }
}
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; color: var(--ink);
       max-width: 760px; margin: 2.5rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.05rem; margin: 2.5rem 0 .5rem }
p { color: var(--soft); margin: .25rem 0 } .warn { color: var(--warn) }
svg { width: 100%; height: auto } svg text { font-size: 12px; fill: var(--soft) }
.grid { stroke: var(--line) } .curve { fill: none; stroke: var(--ours); stroke-width: 2 } .dot { fill: var(--ours) }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); border-radius: 6px; font-size: 13px }
"""


def write(path: Path, scenario: str, by_size: Mapping[int, Sequence[Query]]) -> None:
    sections = [_section(name, queries) for name, queries in by_name(by_size).items()]
    sizes = ", ".join(f"{size:,}" for size in by_size)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Query times by size of {escape(scenario)}</title><style>{STYLE}</style>
<h1>Query times by size of {escape(scenario)}</h1>
<p>Sizes: {sizes}. Median times inside PostgreSQL in milliseconds; both axes are logarithmic.</p>
{"".join(sections)}
</html>
""",
        "utf-8",
    )


def _section(name: str, queries: dict[int, Query]) -> str:
    last = queries[max(queries)]
    warnings = "".join(f'<p class="warn">{escape(warning)}</p>' for warning in last.warnings)
    return f"""<h2>{escape(name)}</h2>
<p>{escape(last.main_node)}; {last.rows:,} rows, {last.buffers:,} pages at {max(queries):,}</p>{warnings}
{_plot(name, queries)}
<details><summary>SQL</summary><pre>{escape(last.sql)}</pre></details>
"""


def _plot(name: str, queries: dict[int, Query]) -> str:
    points = [(size, max(query.milliseconds, 0.001)) for size, query in queries.items()]
    sizes, times = [size for size, _ in points], [time for _, time in points]
    low, high = floor(log10(min(times))), floor(log10(max(times))) + 1

    def x(size: int) -> float:
        least, most = log10(min(sizes)), log10(max(sizes))
        return LEFT + (log10(size) - least) / ((most - least) or 1) * (WIDTH - LEFT - RIGHT)

    def y(time: float) -> float:
        return TOP + (high - log10(time)) / (high - low) * (HEIGHT - TOP - BOTTOM)

    elements = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(name)}">']
    for power in range(low, high + 1):
        line = y(10**power)
        elements.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{line:.1f}" y2="{line:.1f}"/>')
        elements.append(f'<text x="{LEFT - 8}" y="{line + 4:.1f}" text-anchor="end">{10**power:g} ms</text>')
    elements += [f'<text x="{x(size):.1f}" y="{HEIGHT - 8}" text-anchor="middle">{size:,}</text>' for size in sizes]
    path = " ".join(f"{x(size):.1f},{y(time):.1f}" for size, time in points)
    elements.append(f'<polyline class="curve" points="{path}"/>')
    elements += [
        f'<circle class="dot" cx="{x(size):.1f}" cy="{y(time):.1f}" r="3.5"><title>{time:.2f} ms</title></circle>'
        for size, time in points
    ]
    return "".join([*elements, "</svg>"])
