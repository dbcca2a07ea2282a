"""Validation of option values. Invoke itself shows a traceback for an invalid number."""

from groundwork.system.errors import Exit


def number(option: str, text: str, least: int = 1) -> int:
    """Return the option's value as an integer. Raises Exit if it is not an integer of at least `least`."""
    if not text.removeprefix("-").isdecimal():
        raise Exit(f"--{option}: should be a whole number, got {text!r}", code=1)
    if int(text) < least:
        raise Exit(f"--{option}: should be at least {least}, got {text}", code=1)
    return int(text)
