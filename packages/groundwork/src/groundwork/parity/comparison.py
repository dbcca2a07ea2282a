"""Comparison of the settings that the sources derive from one configuration."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from groundwork.parity.differences import AllowedDifference
from groundwork.parity.settings import Settings

FLASK_PREFIXES = ("web/environment/", "web/secrets/")
"""Addresses that Flask has. The others belong to its container."""


@dataclass(frozen=True)
class Row:
    """Setting and its value in each source that can have it; None where the source lacks it."""

    address: str
    values: Mapping[str, str | None]

    def differs(self, allowed: Sequence[AllowedDifference] = ()) -> bool:
        """Return whether the values differ beyond the allowed differences."""
        matching = [each for each in allowed if each.matches(self.address)]
        may_lack = {source for each in matching for source in each.may_lack}
        may_differ = {source for each in matching for source in each.must_differ}
        missing = {source for source, value in self.values.items() if value is None}
        values = {value for source, value in self.values.items() if value is not None and source not in may_differ}
        return bool(missing - may_lack) or len(values) > 1

    def __str__(self) -> str:
        by_value: dict[str | None, list[str]] = {}
        for source, value in self.values.items():
            by_value.setdefault(value, []).append(source)
        parts = [
            f"{'is missing' if value is None else json.dumps(value, ensure_ascii=False)} in {' and '.join(sources)}"
            for value, sources in by_value.items()
        ]
        return f"{self.address}: {', '.join(parts)}"


def rows(sources: Mapping[str, Settings]) -> list[Row]:
    """Return a row for each setting of any source, those of web first."""
    addresses = {address for settings in sources.values() for address in settings}
    return [
        Row(address, {name: each.get(address) for name, each in sources.items() if _can_report(name, address)})
        for address in sorted(addresses, key=lambda each: (not each.startswith("web/"), each))
    ]


def problems(found: Sequence[Row], allowed: Sequence[AllowedDifference]) -> Iterator[str]:
    """Yield differences that are not allowed, and allowed differences that no longer exist."""
    yield from (str(row) for row in found if row.differs(allowed))
    for each in allowed:
        matching = [row for row in found if each.matches(row.address)]
        compared = any(_is_compared(row, each) for row in matching)
        if each.required and compared and not any(row.differs() for row in matching):
            yield f"groundwork.parity.differences: {each.pattern}: no longer differs: remove the entry"


def allowed_by_reason(found: Sequence[Row], allowed: Sequence[AllowedDifference]) -> dict[str, list[str]]:
    """Return the patterns of the differences that were found and are allowed, by reason."""
    by_reason: dict[str, list[str]] = {}
    for each in allowed:
        if any(each.matches(row.address) and row.differs() and not row.differs(allowed) for row in found):
            by_reason.setdefault(each.reason, []).append(each.pattern)
    return by_reason


def _is_compared(row: Row, allowed: AllowedDifference) -> bool:
    """Return whether the row has both a source that should differ and another one."""
    differing = {*allowed.may_lack, *allowed.must_differ}
    return bool(row.values.keys() & differing) and bool(row.values.keys() - differing)


def _can_report(source: str, address: str) -> bool:
    return source != "Flask" or address.startswith(FLASK_PREFIXES)
