"""Terminal report of a drill."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from groundwork.production.drill.impact import SHARE_TO_SLOW_DOWN, Impact
from groundwork.production.drill.runner import Outcome
from groundwork.production.load.traffic import Write

SHOWN = 5
WIDTH = 200  # if the output is not a terminal
FIGURES = ("S OF IMPACT", "SENT", "FAILED", "RETRIED", "429", "SLOWEST")
HEADER = ("FAULT", "HARM OBSERVED", *FIGURES, "EXPECTED", "")


def show(outcome: Outcome) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in HEADER:
        table.add_column(name, justify="right" if name in FIGURES else "left", no_wrap=name in FIGURES)
    for each in outcome.impacts:
        table.add_row(*map(escape, row(each)), style="red" if each.problems else None)
    console.print(table)
    for sentence in sentences(outcome):
        console.print(escape(sentence), highlight=False, soft_wrap=True)


def row(impact: Impact) -> tuple[str, ...]:
    return (
        impact.strike.fault,
        impact.strike.harm or "none",
        f"{impact.seconds:.1f}",
        f"{impact.requests:,}",
        f"{impact.lost:,}",
        f"{impact.retried:,}",
        f"{impact.refused:,}",
        f"{impact.slowest:.2f} s",
        str(impact.expectation),
        "✓" if not impact.problems else f"✗ {'; '.join(impact.problems)}",
    )


def sentences(outcome: Outcome) -> Sequence[str]:
    """Return the result of the audit and the size of the load, as sentences."""
    audit, attempts = outcome.audit, outcome.attempts
    requests, failed = sum(each.first for each in attempts), sum(each.failed for each in attempts)
    told = [
        f"of each: 429 for {SHARE_TO_SLOW_DOWN:.0%} of the attempts at most; writes are acknowledged again after it",
        f"{requests:,} requests in {len(attempts):,} attempts, of which {failed:,} failed",
        f"{audit.sent:,} {audit.table} sent, {audit.acknowledged:,} acknowledged, {audit.stored:,} in the database; "
        f"{len(audit.missing):,} acknowledged and missing, {len(audit.twice):,} there more than once, "
        f"{len(audit.different):,} with other content than was sent; {len(audit.broken_rules):,} broken rules",
    ]
    return [
        *told,
        *_listed("missing", [_named(write) for write in audit.missing]),
        *_listed("there more than once", [_named(write) for write in audit.twice]),
        *_listed("other than sent", [f"{audit.table} {number}" for number in audit.different]),
        *_listed("broken rule", audit.broken_rules),
    ]


def _named(write: Write) -> str:
    return f"{write.acknowledged or 'without an answer'}, Idempotency-Key {write.key}"


def _listed(what: str, names: Sequence[str]) -> list[str]:
    """Return the first SHOWN names, and how many more there are."""
    told = [f"{what}: {name}" for name in names[:SHOWN]]
    return told + ([f"{what}: {len(names) - SHOWN:,} more"] if len(names) > SHOWN else [])
