"""How values are written on a page."""

from datetime import UTC, datetime


def money(cents: int) -> str:
    return f"€ {cents // 100:,}.{cents % 100:02}"


def amount(cents: int) -> str:
    """As it is typed."""
    return f"{cents // 100}.{cents % 100:02}"


def moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%-d %b %Y, %H:%M}"
