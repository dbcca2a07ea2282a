"""Audit of the database: each acknowledged write is there exactly once, with the content that was sent."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from groundwork.production.load.traffic import Traffic, Write


@dataclass(frozen=True)
class Audit:
    table: str
    sent: int
    acknowledged: int
    stored: int
    missing: Sequence[Write]
    """Acknowledged but not in the database: lost data."""
    twice: Sequence[Write]
    """Stored more than once under one Idempotency-Key."""
    different: Sequence[int]
    """IDs of rows whose content differs from what was sent."""
    broken_rules: Sequence[str]

    @property
    def passed(self) -> bool:
        return not (self.missing or self.twice or self.different or self.broken_rules)


def audit(traffic: Traffic, rows: Mapping[int, Any], broken_rules: Sequence[str]) -> Audit:
    acknowledged = {write.acknowledged: write for write in traffic.writes if write.acknowledged is not None}
    unanswered = [write.content for write in traffic.writes if write.acknowledged is None]
    stored = Counter(map(repr, rows.values()))
    return Audit(
        table=traffic.TABLE,
        sent=len(traffic.writes),
        acknowledged=len(acknowledged),
        stored=len(rows),
        missing=[write for number, write in acknowledged.items() if number not in rows],
        twice=[write for write in traffic.writes if stored[repr(write.content)] > 1],
        different=[
            number
            for number, content in rows.items()
            if content not in ([acknowledged[number].content] if number in acknowledged else unanswered)
        ],
        broken_rules=broken_rules,
    )
