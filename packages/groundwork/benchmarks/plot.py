"""SVG bar chart that follows the reader's light or dark mode."""

from html import escape

from packages.groundwork.benchmarks.measure import Measured, number

WIDTH, NAMES, RIGHT, TOP, ROW, BAR = 800, 330, 70, 44, 30, 16
STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; fill: #3d444d }
  .title { font-weight: 600; font-size: 14px; fill: #1f2328 }
  .value { font-variant-numeric: tabular-nums }
  .others { fill: #b7bfc8 } .ours { fill: #1a7f64 } .spread { stroke: #1f2328; stroke-opacity: .55; stroke-width: 1.5 }
  .axis { stroke: #d1d9e0 }
  @media (prefers-color-scheme: dark) {
    text { fill: #b7bdc8 } .title { fill: #f0f6fc } .others { fill: #545d68 } .ours { fill: #3fb68b }
    .spread { stroke: #f0f6fc } .axis { stroke: #3d444d }
  }
"""


def bars(measured: Measured) -> str:
    """Draw one bar per contender: its length is the median; the line on it spans minimum to maximum."""
    experiment = measured.experiment
    ours = {contender.name for contender in experiment.contenders if contender.ours}
    most = max(max(figures) for figures in measured.figures.values())
    height = TOP + ROW * len(measured.figures) + 10
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">',
        f"<style>{STYLE}</style>",
        f'<text class="title" x="0" y="20">{escape(experiment.title)}, {experiment.unit}</text>',
    ]
    for index, (name, figures) in enumerate(measured.figures.items()):
        middle = TOP + ROW * index + ROW / 2
        median, least, greatest = (_x(value, most) for value in (measured.typical(name), min(figures), max(figures)))
        drawn += [
            f'<text x="{NAMES - 12}" y="{middle + 4.5:.1f}" text-anchor="end">{escape(name.replace("`", ""))}</text>',
            f'<rect class="{"ours" if name in ours else "others"}" x="{NAMES}" y="{middle - BAR / 2:.1f}" '
            f'width="{max(median - NAMES, 1.5):.1f}" height="{BAR}" rx="2"/>',
            f'<line class="spread" x1="{least:.1f}" x2="{greatest:.1f}" y1="{middle:.1f}" y2="{middle:.1f}"/>',
            f'<text class="value" x="{max(median, greatest) + 8:.1f}" y="{middle + 4.5:.1f}">'
            f"{number(measured.typical(name))}</text>",
        ]
    drawn += [f'<line class="axis" x1="{NAMES}" x2="{NAMES}" y1="{TOP - 4}" y2="{height - 6}"/>', "</svg>"]
    return "\n".join(drawn) + "\n"


def _x(value: float, most: float) -> float:
    return NAMES + max(value, 0) / most * (WIDTH - NAMES - RIGHT)
