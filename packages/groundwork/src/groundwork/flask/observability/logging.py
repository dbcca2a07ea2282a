"""Logging to stderr: one format for the service's lines and those of Flask, SQLAlchemy and gunicorn."""

import logging
import re
import sys

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from groundwork.flask.observability.redaction import redact

ACCESS_LINE = re.compile(r"\S+ - - \[")
COLOUR = re.compile(r"(\x1b\[[\d;]*m)")


def configure(level: str, line_format: str) -> None:
    """Configure logging; a repeated call replaces only its own handler, not others, such as pytest's."""
    render: list[Processor] = [
        structlog.processors.format_exc_info,
        redact,
        *(_for_programs() if line_format == "json" else _for_people()),
    ]
    # Our own lines bypass logging's records, which are two thirds of the cost of a line.
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.stdlib.add_logger_name,
            *render,
        ],
        logger_factory=Stderr,
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, StderrHandler)]:
        root.removeHandler(handler)
    root.addHandler(StderrHandler(level, render))
    root.setLevel(level)

    logging.getLogger("werkzeug").addFilter(_is_no_access_line)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # or it logs at each readiness check
    for name in ("gunicorn.error", "gunicorn.access"):
        gunicorn = logging.getLogger(name)
        gunicorn.handlers.clear()
        gunicorn.propagate = True


class Stderr:
    """Logger for our own lines. It looks up sys.stderr for each line, since servers and tests replace it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def write(self, line: str) -> None:
        sys.stderr.write(f"{line}\n")

    debug = info = warning = error = critical = exception = log = write


class StderrHandler(logging.Handler):
    """Handler for the lines of other packages, in the same format."""

    def __init__(self, level: str, render: list[Processor]) -> None:
        super().__init__(level)
        self.setFormatter(
            ProcessorFormatter(
                processors=[
                    structlog.contextvars.merge_contextvars,
                    structlog.stdlib.add_log_level,
                    structlog.stdlib.add_logger_name,
                    ProcessorFormatter.remove_processors_meta,
                    *render,
                ]
            )
        )

    def emit(self, record: logging.LogRecord) -> None:
        try:
            Stderr(record.name).write(self.format(record))
        except Exception:
            self.handleError(record)


def _for_programs() -> list[Processor]:
    return [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.JSONRenderer(),
    ]


def _for_people() -> list[Processor]:
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        sort_keys=False,
        exception_formatter=structlog.dev.plain_traceback,  # exceptions are text already
    )

    def render(logger: WrappedLogger, method: str, event: EventDict) -> str:
        """Leave the development server's lines unchanged: they are formatted for people already."""
        as_it_is = event["logger"] == "werkzeug" and "exception" not in event
        return str(event["event"]) if as_it_is else console(logger, method, event)

    return [_escape, structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False), render]


def _escape(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Escape control and format characters, which a terminal would interpret; JSON escapes them by itself.

    Keep the development server's colours.
    """
    escape = _coloured if event["logger"] == "werkzeug" else _printable
    return {name: escape(value) if isinstance(value, str) else value for name, value in event.items()}


def _coloured(text: str) -> str:
    return "".join(part if COLOUR.fullmatch(part) else _printable(part) for part in COLOUR.split(text))


def _printable(text: str) -> str:
    """Return the text with escapes for control and format characters, other than line breaks and tabs."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each in "\n\t" else each.encode("unicode_escape").decode() for each in text
    )


def _is_no_access_line(record: logging.LogRecord) -> bool:
    """Return False for the development server's request lines, which would repeat ours; keep its other lines."""
    return record.levelno > logging.INFO or not ACCESS_LINE.match(record.getMessage())
