"""Database sessions of tasks."""

import socket

import pytest

from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.postgresql import database
from groundwork.system.errors import Exit
from groundwork.testing.service import Database
from packages.groundwork.tests.conftest import wait_until

LOCK = "SELECT 'mine' WHERE pg_try_advisory_lock(1)"


def test_a_query_is_answered_with_its_values_as_text(settings: Configuration) -> None:
    with database.session(settings) as ask:
        answers = [
            ask(f"SELECT {value}") for value in ("'one' UNION ALL SELECT 'two' ORDER BY 1", "1 WHERE false", "7")
        ]

    assert answers == [["one", "two"], [], ["7"]]


def test_what_it_held_is_free_after_it(settings: Configuration) -> None:
    with database.session(settings) as ask, database.session(settings) as other:
        assert ask(LOCK) == ["mine"]
        assert other(LOCK) == []

    with database.session(settings) as ask:
        wait_until(lambda: ask(LOCK) == ["mine"])


def test_a_connection_that_is_cut_is_one_line(settings: Configuration) -> None:
    with (
        pytest.raises(Exit, match=r"PostgreSQL failed: .*terminating connection") as gave_up,
        database.session(settings) as ask,
    ):
        ask("SELECT pg_terminate_backend(pg_backend_pid())")

    assert "\n" not in str(gave_up.value)


def test_a_server_that_does_not_answer_is_one_line(settings: Configuration) -> None:
    nowhere = settings.with_values("the test", POSTGRES_PORT=9)

    with pytest.raises(Exit, match=r"cannot use PostgreSQL at \S+:9 as \w+: .*refused"), database.session(nowhere):
        pass


def test_a_server_that_says_nothing_is_given_up(settings: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SECONDS_TO_CONNECT", 2)  # the least that libpq waits
    with socket.create_server(("127.0.0.1", 0)) as mute:
        paused = settings.with_values("the test", POSTGRES_HOST="127.0.0.1", POSTGRES_PORT=mute.getsockname()[1])

        with pytest.raises(Exit, match="connection timeout expired"), database.session(paused):
            pass


@pytest.fixture
def settings(empty_database: Database) -> Configuration:
    return loader.load("testing", environ=empty_database.environment)
