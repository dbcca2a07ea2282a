"""Reports of the figures for the terminal and for docs/benchmarks/."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from groundwork.system import paths
from packages.groundwork.benchmarks import plot
from packages.groundwork.benchmarks.measure import Experiment, Measured, number, steps

PAGES = paths.ROOT / "docs" / "benchmarks"
HOW_TO_READ = """Written by `inv {task} --write`; trust the ratios more than the times. A figure is the median of the
rounds, in which the candidates take turns; the minimum and maximum are next to it.
"""
TARGETS = ("", "target", "result", "")
WIDTH = 100  # minimum, because rich takes 80 without a terminal, as in CI


@dataclass(frozen=True)
class Page:
    """Page in docs/benchmarks/."""

    name: str
    task: str
    about: str


def progress(experiments: Sequence[Experiment], rounds: int) -> list[Measured]:
    """Run the experiments one after the other, with all rounds of each, and show the progress."""
    measured = [Measured(experiment) for experiment in experiments]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        everything = bar.add_task("", total=sum(len(each.contenders) * (each.rounds or rounds) for each in experiments))
        for one in measured:
            for name in chain.from_iterable(steps(one.experiment, one) for _ in range(one.experiment.rounds or rounds)):
                bar.update(everything, description=escape(f"{one.experiment.title}: {name}"))
                bar.advance(everything)
    return measured


def show(measured: Sequence[Measured]) -> None:
    console = Console()
    console.width = max(console.width, WIDTH)
    for one in measured:
        console.print(_table(one.experiment.title, _header(one), _rows(one), one))
    console.print(_table("Targets", TARGETS, _aims(measured)))


def write(page: Page, measured: Sequence[Measured], facts: Mapping[str, str]) -> None:
    """Write the page and its plots to docs/benchmarks/."""
    PAGES.mkdir(exist_ok=True)
    parts = [f"# Benchmarks: {page.name}\n", f"{page.about}\n", HOW_TO_READ.format(task=page.task)]
    parts += [_markdown(("Machine", ""), list(facts.items()))]
    parts += ["## Targets\n", _markdown(TARGETS, _aims(measured))]
    for one in measured:
        experiment = one.experiment
        image = PAGES / f"{experiment.name}.svg"
        image.write_text(plot.bars(one), "utf-8")
        parts += [
            f"## {experiment.title}\n",
            f"{experiment.about}\n",
            f"![{experiment.title}]({image.name})\n",
            _markdown(_header(one), _rows(one)),
        ]
    (PAGES / f"{page.name}.md").write_text("\n".join(parts), "utf-8")


def _header(measured: Measured) -> tuple[str, ...]:
    unit = measured.experiment.unit
    return ("", f"median, {unit}", f"least – most, {unit}", *(["× floor"] if _has_floor(measured) else []), "× ours")


def _rows(measured: Measured) -> list[tuple[str, ...]]:
    ours = next(contender.name for contender in measured.experiment.contenders if contender.ours)
    floor = next(iter(measured.samples))
    rows = []
    for name, figures in measured.figures.items():
        ratios = [number(measured.ratio(name, to)) for to in ([floor] if _has_floor(measured) else []) + [ours]]
        rows.append((name, number(measured.typical(name)), f"{number(min(figures))} – {number(max(figures))}", *ratios))
    return rows


def _has_floor(measured: Measured) -> bool:
    return not measured.experiment.over_the_floor


def _aims(measured: Sequence[Measured]) -> list[tuple[str, ...]]:
    return [row for one in measured for row in _aims_of(one)]


def _aims_of(measured: Measured) -> Iterator[tuple[str, ...]]:
    for aim in measured.experiment.aims:
        actual = aim.actual(measured)
        reached = actual >= aim.limit if aim.at_least else actual <= aim.limit
        yield (
            f"{measured.experiment.title}: {aim.sentence}",
            f"{'≥' if aim.at_least else '≤'} {number(aim.limit)} {aim.unit}",
            f"{number(actual)} {aim.unit}",
            "✓" if reached else "✗",
        )


def _table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], measured: Measured | None = None) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column, name in enumerate(header):
        table.add_column(name, justify="right" if column else "left")
    ours = {contender.name for contender in measured.experiment.contenders if contender.ours} if measured else set()
    for row in rows:
        table.add_row(*map(escape, row), style="green" if row[0] in ours else None)
    return table


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    marks = ["---", *["--:"] * (len(header) - 1)]
    return "".join(f"| {' | '.join(row)} |\n" for row in [header, marks, *rows])
