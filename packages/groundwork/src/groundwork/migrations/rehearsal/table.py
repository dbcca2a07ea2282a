"""Terminal tables of a rehearsal: the slowest queries and the locks of each migration."""

from collections.abc import Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from groundwork.migrations.rehearsal.clients import Timing
from groundwork.migrations.rehearsal.steps import Step, slowest
from groundwork.scenarios.explain.table import console


def show(steps: Sequence[Step]) -> None:
    terminal = console()
    terminal.print(_costs(steps))
    terminal.print(_locks(steps))


def _costs(steps: Sequence[Step]) -> Table:
    table = _table("MIGRATION", "SECONDS", "SLOWEST READ", "MS", "SLOWEST WRITE", "MS", "FAILED")
    for step in steps:
        failed = sum(bool(query.error) for query in (*step.reads, *step.writes))
        table.add_row(
            escape(step.name), f"{step.seconds:,.2f}", *_slowest(step.reads), *_slowest(step.writes), f"{failed:,}"
        )
    return table


def _locks(steps: Sequence[Step]) -> Table:
    """Build the table of locks; MS FROM and MS UNTIL count from the migration's connection."""
    table = _table("MIGRATION", "LOCK", "TABLE", "BLOCKS", "MS WAITED", "MS HELD", "MS FROM", "MS UNTIL")
    for step in steps:
        for lock in step.locks:
            times = (lock.waited, lock.held, lock.first_seen, lock.last_seen)
            milliseconds = (f"{seconds * 1000:,.0f}" for seconds in times)
            table.add_row(escape(step.name), lock.mode, escape(lock.table), lock.blocks, *milliseconds)
    return table


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        is_figure = name.startswith(("MS", "SECONDS", "FAILED"))
        table.add_column(name, justify="right" if is_figure else "left", no_wrap=is_figure)
    return table


def _slowest(queries: list[Timing]) -> tuple[str, str]:
    slow = slowest(queries)
    return (escape(slow.query), f"{slow.milliseconds:,.0f}") if slow else ("", "")
