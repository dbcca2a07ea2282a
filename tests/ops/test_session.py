"""What a task asks of a database, by psql or by psycopg."""

import socket

import pytest
from invoke.exceptions import Exit

from ops import configuration, database, session
from ops.configuration import Configuration
from tests.ops.conftest import wait_until
from tests.service import Database

LOCK = "SELECT 'mine' WHERE pg_try_advisory_lock(1)"


@pytest.mark.parametrize("near", [True, False])
def test_it_answers_alike_near_and_far(near: bool, settings: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "is_on_this_machine", lambda _: near)

    with session.opened(settings) as ask:
        answers = [
            ask(f"SELECT {value}") for value in ("'one' UNION ALL SELECT 'two' ORDER BY 1", "1 WHERE false", "7")
        ]
        by = ask("SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()")

    assert answers == [["one", "two"], [], ["7"]]
    assert by == ["psql" if near else ""]


def test_what_it_held_is_free_after_it(settings: Configuration) -> None:
    with session.opened(settings) as ask, session.opened(settings) as other:
        assert ask(LOCK) == ["mine"]
        assert other(LOCK) == []

    with session.opened(settings) as ask:
        wait_until(lambda: ask(LOCK) == ["mine"])


@pytest.mark.parametrize("near", [True, False])
def test_a_connection_that_is_cut_is_one_line(
    near: bool, settings: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "is_on_this_machine", lambda _: near)

    with (
        pytest.raises(Exit, match=r"PostgreSQL gave up: .*terminating connection") as gave_up,
        session.opened(settings) as ask,
    ):
        ask("SELECT pg_terminate_backend(pg_backend_pid())")

    assert "\n" not in str(gave_up.value)


def test_a_server_that_does_not_answer_is_one_line(settings: Configuration) -> None:
    nowhere = settings.changed("the test", POSTGRES_PORT=9)

    with pytest.raises(Exit, match=r"cannot use PostgreSQL at \S+:9 as \w+: .*refused"), session.opened(nowhere):
        pass


def test_a_server_that_says_nothing_is_given_up(settings: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SECONDS_TO_CONNECT", 2)  # the least that libpq waits
    with socket.create_server(("127.0.0.1", 0)) as mute:
        paused = settings.changed("the test", POSTGRES_HOST="127.0.0.1", POSTGRES_PORT=mute.getsockname()[1])
        # psql would wait as long again: it gets the time by the variable for it.
        assert database.variables(paused)["PGCONNECT_TIMEOUT"] == "2"
        monkeypatch.setattr(database, "is_on_this_machine", lambda _: False)

        with pytest.raises(Exit, match="connection timeout expired"), session.opened(paused):
            pass


@pytest.fixture
def settings(empty_database: Database) -> Configuration:
    return configuration.load("testing", environ=empty_database.environment)
