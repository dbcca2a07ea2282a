"""A drill, for the terminal."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ops.drill.exercise import Outcome
from ops.drill.impact import Impact
from ops.load.shop import Order

SHOWN = 5
WIDTH = 150  # where it is no terminal
FIGURES = ("S OF IMPACT", "SENT", "FAILED", "RETRIED", "SLOWEST")


def show(outcome: Outcome) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("FAULT", *FIGURES, "EXPECTED", ""):
        table.add_column(name, justify="right" if name in FIGURES else "left", no_wrap=name in FIGURES)
    for each in outcome.impacts:
        table.add_row(*map(escape, row(each)), style="red" if each.problems else None)
    console.print(table)
    for sentence in sentences(outcome):
        console.print(escape(sentence), highlight=False, soft_wrap=True)


def row(impact: Impact) -> tuple[str, ...]:
    return (
        impact.strike.fault,
        f"{impact.seconds:.1f}",
        f"{impact.requests:,}",
        f"{impact.lost:,}",
        f"{impact.retried:,}",
        f"{impact.slowest:.2f} s",
        impact.expectation.sentence,
        "✓" if not impact.problems else f"✗ {'; '.join(impact.problems)}",
    )


def sentences(outcome: Outcome) -> Sequence[str]:
    """What became of the orders, and what the load was."""
    audit, attempts = outcome.audit, outcome.attempts
    requests, failed = sum(each.first for each in attempts), sum(each.failed for each in attempts)
    told = [
        f"{requests:,} requests in {len(attempts):,} attempts, of which {failed:,} failed",
        f"{audit.sent:,} orders sent, {audit.acknowledged:,} acknowledged, {audit.placed:,} in the database; "
        f"{len(audit.missing):,} acknowledged and missing, {len(audit.twice):,} there more than once",
    ]
    return [*told, *_listed("missing", audit.missing), *_listed("there more than once", audit.twice)]


def _listed(what: str, orders: Sequence[Order]) -> list[str]:
    """The first few."""
    told = [
        f"{what}: order {order.acknowledged or 'without an answer'}, Idempotency-Key {order.key}"
        for order in orders[:SHOWN]
    ]
    return told + ([f"{what}: {len(orders) - SHOWN:,} more"] if len(orders) > SHOWN else [])
