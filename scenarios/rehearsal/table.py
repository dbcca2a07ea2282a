"""A rehearsal, for the terminal: what each migration cost, and the locks that made it cost that."""

from collections.abc import Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from scenarios.lab.table import console
from scenarios.rehearsal.steps import Step, slowest
from scenarios.rehearsal.traffic import Asked


def show(steps: Sequence[Step]) -> None:
    terminal = console()
    terminal.print(_costs(steps))
    terminal.print(_locks(steps))


def _costs(steps: Sequence[Step]) -> Table:
    table = _table("MIGRATION", "SECONDS", "SLOWEST READ", "MS", "SLOWEST WRITE", "MS", "FAILED")
    for step in steps:
        failed = sum(bool(query.error) for query in (*step.reads, *step.writes))
        table.add_row(
            escape(step.name), f"{step.seconds:,.2f}", *_shown(step.reads), *_shown(step.writes), f"{failed:,}"
        )
    return table


def _locks(steps: Sequence[Step]) -> Table:
    """In milliseconds since the migration connected."""
    table = _table("MIGRATION", "LOCK", "TABLE", "STOPS", "MS WAITED", "MS HELD", "MS FROM", "MS UNTIL")
    for step in steps:
        for lock in step.locks:
            times = (lock.waited, lock.held, lock.first_seen, lock.last_seen)
            shown = (f"{seconds * 1000:,.0f}" for seconds in times)
            table.add_row(escape(step.name), lock.mode, escape(lock.table), lock.stops, *shown)
    return table


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        is_figure = name.startswith(("MS", "SECONDS", "FAILED"))
        table.add_column(name, justify="right" if is_figure else "left", no_wrap=is_figure)
    return table


def _shown(asked: list[Asked]) -> tuple[str, str]:
    slow = slowest(asked)
    return (escape(slow.query), f"{slow.milliseconds:,.0f}") if slow else ("", "")
