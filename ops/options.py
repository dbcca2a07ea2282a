"""Values that are typed after an option: invoke itself answers a wrong one with a traceback."""

from invoke.exceptions import Exit


def number(option: str, text: str, least: int = 1) -> int:
    """Raises Exit where it is none, or a smaller one."""
    if not text.removeprefix("-").isdecimal():
        raise Exit(f"--{option}: should be a whole number, got {text!r}", code=1)
    if int(text) < least:
        raise Exit(f"--{option}: should be at least {least}, got {text}", code=1)
    return int(text)
