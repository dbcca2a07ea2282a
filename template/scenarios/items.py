"""Two years of items: as many as SIZE, evenly spread, and a user for every twelfth."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from random import Random

from groundwork.scenarios.loading import clock
from groundwork.scenarios.loading.rows import Part, Rows

SIZE = 10_000
A_PART = 10_000  # items
DAYS = 730

COLUMNS = {"users": ("id", "email", "name", "created_at"), "items": ("id", "name", "created_at")}

NAMES = ("Ada", "Bruno", "Chiara", "Dmitri", "Elin", "Farid", "Grace", "Hana", "Ivo", "Jun", "Kofi", "Lena", "Mira")
LIKE_WHAT = ("Large", "Small", "Round", "Square", "Light", "Heavy", "Old", "New", "Plain", "Striped")


def parts(size: int, seed: int) -> Iterator[Part]:
    for first in range(0, size, A_PART):
        yield partial(_items, first, min(first + A_PART, size), size, seed)


def _items(first: int, end: int, size: int, seed: int) -> Rows:
    """The items `first` to `end` of `size`, counted from nought, and the users among them."""
    random = Random(f"{seed}/{first}")  # noqa: S311  the same each time is what is wanted here
    opened = clock.NOW - timedelta(days=DAYS)
    users, items = [], []
    for place in range(first, end):
        moment = opened + timedelta(days=DAYS * (place + random.random()) / size)
        items.append(f"{place + 1}\t{random.choice(LIKE_WHAT)} item {place + 1}\t{moment}\n")
        if place % 12 == 0:
            user, name = place // 12 + 1, random.choice(NAMES)
            users.append(f"{user}\t{name.lower()}.{user}@example.com\t{name}\t{moment}\n")
    return {"users": "".join(users), "items": "".join(items)}
