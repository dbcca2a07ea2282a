"""Formats of prices: `money` is a template filter."""


def money(cents: int) -> str:
    return f"€ {cents // 100:,}.{cents % 100:02}"


def amount(cents: int) -> str:
    """Return the amount as a user types it."""
    return f"{cents // 100}.{cents % 100:02}"
