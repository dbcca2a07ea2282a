"""Container logs in CloudWatch."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

POLL_SECONDS = 2
LATE_MS = 60_000
"""Milliseconds by which a line may arrive after newer lines."""
Line = dict[str, Any]


def of_group(logs: Any, group: str, **narrowed: Any) -> Iterator[Line]:
    """Return the lines of a log group, oldest first. `narrowed` is passed to filter_log_events."""
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, **narrowed)
    return (event for page in pages for event in page["events"])


def following(logs: Any, group: str, since_ms: int, **narrowed: Any) -> Iterator[list[Line]]:
    """Yield the lines that are new since the last iteration, which may be none. Never end."""
    seen: dict[str, int] = {}
    while True:
        found = of_group(logs, group, startTime=since_ms, **narrowed)
        new = [each for each in found if each["eventId"] not in seen]
        seen |= {each["eventId"]: each["timestamp"] for each in new}
        newest = max(seen.values(), default=since_ms)
        since_ms = max(since_ms, newest - LATE_MS)
        seen = {name: when for name, when in seen.items() if when >= since_ms}
        yield new


def now_ms() -> int:
    return int(time.time() * 1000)


def shown(line: Line) -> str:
    when = datetime.fromtimestamp(line["timestamp"] / 1000, UTC)
    return f"{when:%Y-%m-%dT%H:%M:%SZ} {line['message'].rstrip()}"


def pattern(text: str) -> str:
    """Return a CloudWatch filter pattern that matches lines with exactly this text."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
