"""Redaction of secrets in log lines, in case one is logged by mistake."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from structlog.typing import EventDict, WrappedLogger

REDACTED = "[redacted]"
NAMES = r"password|passwd|secret|token|authorization|cookie|api[_-]?key"
SECRET_NAME = re.compile(NAMES, re.IGNORECASE)

# The first group stays. No pattern may backtrack over what it has read, since clients can send long lines.
IN_TEXT = [
    (re.compile(pattern), rf"\g<1>{REDACTED}")
    for pattern in (
        # a name and a value in any notation: a header, a query string, a repr, JSON within JSON
        rf"""(?i)((?:{NAMES})[\w-]{{0,32}}\\?["']?\s?[=:]\s?)"""
        r"""(?:(\\?["']).*?\2|(?:(?:bearer|basic)\s{1,32})?[^\s"'\\,;&})\]]+(?:;\s?[\w-]+=[^\s"';]+)*)""",
        r"\b((?i:bearer|basic) +)(?=[\w.~+/-]*[0-9A-Z_=])[\w.~+/-]{6,}=*",  # not "basic training"
        r"(://)[^\s/@]{1,256}(?=@)",
        r"([\w/]\?)[\w.%+-]+=[^\s\"']*",  # a query string
        r"\b([a-z]{1,20}_)(?=[\w-]{0,60}[A-Z])(?=[\w-]{0,60}\d)[\w-]{40,}",  # a bare token, for example in a path
        r"(DETAIL:)[^\n]*",  # PostgreSQL's: the row that violated a constraint
        r"(input_value=).{0,200}?(?=, input_type)",  # pydantic's, which shortens it
    )
]
PLAIN = re.compile(r"[\w./-]{0,40}")  # most values, such as ids, paths and levels; shorter than a token
DECODED_AT_MOST = 5
"""Limit on decoding steps, since a client can encode any number of times."""
ADDRESS = re.compile(r"[^\s\"'<>()\[\]{},;:=@/\\?&]{1,64}(?:@|%40)[\w.-]{1,255}\.[^\W\d_]{2,}")


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Redact an event; as a structlog processor, place it after exception formatting and before rendering."""
    return {name: _cleaned(name, value) for name, value in event.items()}


def _cleaned(name: str, value: Any) -> Any:
    if _is_secret(name):
        return REDACTED
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return _without_secrets(value)
        case Mapping():
            return {str(each): _cleaned(str(each), of_it) for each, of_it in value.items()}
        case Iterable() if not isinstance(value, bytes):
            return [_cleaned(name, each) for each in value]
        case _:
            return _without_secrets(repr(value))


@lru_cache
def _is_secret(name: str) -> bool:
    return SECRET_NAME.search(name) is not None


def _without_secrets(text: str) -> str:
    """Return the redacted text, in percent-decoded form if only that form reveals a secret."""
    if PLAIN.fullmatch(text):
        return text
    shown = text = _redacted(text)
    for _ in range(DECODED_AT_MOST):
        if (decoded := unquote(text)) == text:
            break
        text = _redacted(decoded)
        if text != decoded:
            shown = text
    return shown


def _redacted(text: str) -> str:
    for pattern, replacement in IN_TEXT:
        text = pattern.sub(replacement, text)
    return ADDRESS.sub(REDACTED, text) if "@" in text or "%40" in text else text
