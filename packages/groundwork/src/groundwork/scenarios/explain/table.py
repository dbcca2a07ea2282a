"""Terminal tables of measured queries: details for one size, or times with one column per size."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from groundwork.scenarios.explain.query import Query

WIDTH = 150  # columns, if the output is not a terminal


def show(queries: Sequence[Query]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("QUERY")
    for name in ("MS", "ROWS", "PAGES"):
        table.add_column(name, justify="right")
    table.add_column("SLOWEST NODE")
    table.add_column("WARNINGS", style="yellow")
    for query in queries:
        figures = (f"{query.milliseconds:,.2f}", f"{query.rows:,}", f"{query.buffers:,}")
        table.add_row(escape(query.name), *figures, escape(query.main_node), escape("; ".join(query.warnings)))
    console().print(table)


def show_sql(queries: Sequence[Query]) -> None:
    for query in queries:
        console().print(f"{escape(query.name)}\n\n{escape(query.sql)}\n", highlight=False)


def show_growth(by_size: Mapping[int, Sequence[Query]]) -> None:
    """Show the milliseconds of each query, with one column per size."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="ms, by size", title_justify="left")
    table.add_column("QUERY")
    for size in by_size:
        table.add_column(f"{size:,}", justify="right")
    table.add_column("WARNINGS AT THE LARGEST SIZE", style="yellow")
    for name, queries in by_name(by_size).items():
        last = queries[max(queries)]
        figures = [f"{queries[size].milliseconds:,.2f}" if size in queries else "" for size in by_size]
        table.add_row(escape(name), *figures, escape("; ".join(last.warnings)))
    console().print(table)


def console() -> Console:
    found = Console()
    if not found.is_terminal:
        found.width = WIDTH
    return found


def by_name(by_size: Mapping[int, Sequence[Query]]) -> dict[str, dict[int, Query]]:
    found: dict[str, dict[int, Query]] = {}
    for size, queries in by_size.items():
        for query in queries:
            found.setdefault(query.name, {})[size] = query
    return found
