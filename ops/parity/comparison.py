"""What places make of the same configuration, held against each other."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ops.parity.differences import Meant
from ops.parity.facts import Facts

OF_FLASK = ("web/environment/", "web/secrets/")
"""All that Flask can tell: the rest is of the container that it runs in."""


@dataclass(frozen=True)
class Row:
    """A fact, and what each place that could have it says of it."""

    address: str
    values: Mapping[str, str | None]

    def differs(self, meant: Sequence[Meant] = ()) -> bool:
        """But for what is meant."""
        about = [each for each in meant if each.is_about(self.address)]
        without = {place for each in about for place in each.without}
        own = {place for each in about for place in each.own}
        missing = {place for place, value in self.values.items() if value is None}
        held = {value for place, value in self.values.items() if value is not None and place not in own}
        return bool(missing - without) or len(held) > 1

    def __str__(self) -> str:
        by_value: dict[str | None, list[str]] = {}
        for place, value in self.values.items():
            by_value.setdefault(value, []).append(place)
        told = [
            f"{'is missing' if value is None else json.dumps(value, ensure_ascii=False)} in {' and '.join(places)}"
            for value, places in by_value.items()
        ]
        return f"{self.address}: {', '.join(told)}"


def rows(places: Mapping[str, Facts]) -> list[Row]:
    """One a fact that any of them has; web first."""
    addresses = {address for facts in places.values() for address in facts}
    return [
        Row(address, {place: facts.get(address) for place, facts in places.items() if _tells(place, address)})
        for address in sorted(addresses, key=lambda each: (not each.startswith("web/"), each))
    ]


def problems(found: Sequence[Row], meant: Sequence[Meant]) -> Iterator[str]:
    """What differs and is not meant to, and what is meant to and does not."""
    yield from (str(row) for row in found if row.differs(meant))
    for each in meant:
        about = [row for row in found if each.is_about(row.address)]
        if each.always and any(_are_compared(row, each) for row in about) and not any(row.differs() for row in about):
            yield f"ops/parity/differences.py: {each.address}: does not differ any more: take it out"


def excused(found: Sequence[Row], meant: Sequence[Meant]) -> dict[str, list[str]]:
    """By its reason, what differs and is meant to."""
    by_reason: dict[str, list[str]] = {}
    for each in meant:
        if any(each.is_about(row.address) and row.differs() and not row.differs(meant) for row in found):
            by_reason.setdefault(each.reason, []).append(each.address)
    return by_reason


def _are_compared(row: Row, meant: Meant) -> bool:
    """The places that are to differ, with others."""
    differing = {*meant.without, *meant.own}
    return bool(row.values.keys() & differing) and bool(row.values.keys() - differing)


def _tells(place: str, address: str) -> bool:
    return place != "Flask" or address.startswith(OF_FLASK)
