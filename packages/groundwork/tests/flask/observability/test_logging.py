"""Format of all log lines of the process."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from groundwork.flask.observability.logging import configure


@pytest.mark.parametrize("name", ["app", "sqlalchemy.engine", "gunicorn.error", "gunicorn.access", "werkzeug", "any"])
def test_every_logger_speaks_json(capfd: pytest.CaptureFixture[str], name: str) -> None:
    configure("INFO", "json")

    logging.getLogger(name).warning("%s happened", "something")

    line = json.loads(capfd.readouterr().err)
    assert (line["event"], line["logger"], line["level"]) == ("something happened", name, "warning")


def test_gunicorn_does_not_speak_twice(capfd: pytest.CaptureFixture[str]) -> None:
    gunicorn = logging.getLogger("gunicorn.error")
    gunicorn.addHandler(logging.StreamHandler())
    gunicorn.propagate = False

    configure("INFO", "json")
    gunicorn.warning("booting")

    assert json.loads(capfd.readouterr().err)["event"] == "booting"


def test_an_exception_stays_in_its_line_without_the_variables(capfd: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "json")

    fail_with_a_secret()

    logged = capfd.readouterr().err
    assert "ZeroDivisionError" in json.loads(logged)["exception"]
    assert "hunter2" not in logged


def test_an_exception_is_readable_on_a_console_without_the_variables(capfd: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "console")

    fail_with_a_secret()

    logged = capfd.readouterr().err
    assert "\nZeroDivisionError" in logged
    assert "hunter2" not in logged


def test_a_console_line_shows_event_and_values(capfd: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "console")

    structlog.get_logger("shop").info("sold", pieces=3)

    logged = capfd.readouterr().err
    assert "sold" in logged
    assert "pieces=3" in logged


@pytest.mark.parametrize("line_format", ["json", "console"])
def test_characters_that_a_terminal_obeys_are_escaped(
    capfd: pytest.CaptureFixture[str], line_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure("INFO", line_format)
    root = logging.getLogger()
    # pytest's own handler would put the lone surrogate into its report, which a worker of xdist cannot send.
    ours = [each for each in root.handlers if not type(each).__module__.startswith("_pytest")]
    monkeypatch.setattr(root, "handlers", ours)
    said = "\x1b[2J \x9b31m \u202e \u2028 \x7f \r \udc80"

    structlog.get_logger("shop").info(said, path=said, paths=[said])
    logging.getLogger("theirs").info("%s", said)
    try:
        raise ValueError(said)
    except ValueError:
        logging.getLogger("theirs").exception("failed")

    logged = capfd.readouterr().err
    assert [each for each in logged if not (each.isprintable() or each == "\n")] == []
    assert r"\u202e" in logged


def test_the_development_server_may_colour_a_line_and_no_more(capfd: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "console")

    logging.getLogger("werkzeug").info("\x1b[31mWARNING\x1b[0m \x1b[2J")

    assert capfd.readouterr().err == "\x1b[31mWARNING\x1b[0m \\x1b[2J\n"


@pytest.mark.parametrize(("level", "heard"), [("DEBUG", 3), ("INFO", 2), ("WARNING", 1), ("ERROR", 0)])
def test_a_level_is_honoured_by_both_kinds_of_logger(capfd: pytest.CaptureFixture[str], level: str, heard: int) -> None:
    configure(level, "json")

    for logger in (structlog.get_logger("ours"), logging.getLogger("theirs")):
        logger.debug("a detail")
        logger.info("a fact")
        logger.warning("a warning")

    assert len(capfd.readouterr().err.splitlines()) == 2 * heard


def test_configured_again_it_still_speaks_once(capfd: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "json")
    configure("INFO", "json")

    structlog.get_logger("shop").info("sold")

    assert len(capfd.readouterr().err.splitlines()) == 1


def test_it_leaves_the_handlers_of_others_alone(caplog: pytest.LogCaptureFixture) -> None:
    configure("INFO", "json")

    logging.getLogger("theirs").info("bought")

    assert [record.name for record in caplog.records] == ["theirs"]


def test_the_development_server_keeps_its_words_but_not_its_access_lines(capfd: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "json")
    werkzeug = logging.getLogger("werkzeug")
    werkzeug.setLevel(logging.INFO)

    werkzeug.info(" * Running on http://127.0.0.1:5000\nPress CTRL+C to quit")
    werkzeug.warning(" * Debugger is active!")
    werkzeug.info('127.0.0.1 - - [22/Nov/2026 16:00:00] "%s" %s %s', "GET / HTTP/1.1", "200", "-")
    werkzeug.error("127.0.0.1 - - [22/Nov/2026 16:00:00] code 400, message Bad request version")

    events = [json.loads(line)["event"] for line in capfd.readouterr().err.splitlines()]
    assert [event.split()[1] for event in events] == ["Running", "Debugger", "-"]
    assert events[-1].endswith("Bad request version")


def fail_with_a_secret() -> None:
    password = "".join(["hunter", "2"])
    try:
        len(password) / 0
    except ZeroDivisionError:
        structlog.get_logger("shop").exception("failed")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    levels = {name: logging.getLogger(name).level for name in ("werkzeug", "gunicorn.error")}
    logging.getLogger("werkzeug").setLevel(logging.NOTSET)  # a server of other tests in this process has set it
    yield
    configure("WARNING", "json")
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
