"""Traffic of the tests of the drill and of its load: notes, which are in no database."""

from random import Random
from typing import Any

from groundwork.production.load.traffic import Traffic, Write


class Notes(Traffic):
    TABLE = "notes"
    READS = ("/notes", "/notes?unread")
    WRITES = "/notes"

    def prepare(self) -> None: ...

    def new_write(self, random: Random) -> Write:  # noqa: ARG002  the interface's
        text = f"note {len(self.writes) + 1}"
        return Write({"text": text}, [text], key=f"key-{len(self.writes) + 1}")

    def find(self) -> dict[int, Any]:
        return {}

    def broken_rules(self) -> list[str]:
        return []

    def forget(self) -> None: ...


def notes(*acknowledged: int | None) -> Notes:
    """Return traffic with a write for each ID that was acknowledged, or None."""
    traffic = Notes("drill", "load-drill@example.com", lambda _: "")
    for number in acknowledged:
        traffic.next_write(Random(1)).acknowledged = number  # noqa: S311  not used
    return traffic
