"""`inv cloud.logs`: selection by request, service and time, and following."""

import pytest
from invoke.context import Context

from groundwork.cloud.context import Stage
from groundwork.system import shell
from groundwork.system.errors import Exit
from groundwork.tasks.cloud import status as look
from packages.groundwork.tests.cloud.stage import write


def test_one_request_s_lines_are_told_without_the_others(standing: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    write(standing, "web/web/1", '{"event": "request", "request_id": "abc-1"}', '{"request_id": "abc-2"}')

    look.logs(Context(), request="abc-1")

    assert capsys.readouterr().out == '{"event": "request", "request_id": "abc-1"}\n'


def test_lines_are_told_with_their_time_and_of_one_service_where_that_is_asked(
    standing: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    write(standing, "web/web/1", "of the service")
    write(standing, "migrate/migrate/1", "of the migration")

    look.logs(Context(), service="migrate")

    when, _, said = capsys.readouterr().out.partition(" ")
    assert (when[-1], said) == ("Z", "of the migration\n")


def test_where_nothing_was_said_a_line_says_so(standing: Stage) -> None:
    with pytest.raises(Exit) as refused:
        look.logs(Context(), request="never")

    assert str(refused.value) == "no log line contains never in the last 10 minutes: start earlier with --minutes"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"service": "db"}, "--service: should be one of web, proxy, migrate, got 'db'"),
        ({"minutes": "0"}, "--minutes: should be at least 1, got 0"),
        ({"minutes": "ten"}, "--minutes: should be a whole number, got 'ten'"),
    ],
)
def test_wrong_options_are_told(options: dict[str, str], complaint: str) -> None:
    with pytest.raises(Exit) as refused:
        look.logs(Context(), **options)

    assert str(refused.value) == complaint


def test_logs_that_are_followed_tell_what_comes_until_ctrl_c(
    standing: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(standing, "web/web/1", "before")
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) > 1:
            raise KeyboardInterrupt
        write(standing, "web/web/2", "meanwhile")

    monkeypatch.setattr("groundwork.tasks.cloud.status.time.sleep", wait)

    with pytest.raises(Exit) as ended:
        look.logs(Context(), follow=True)

    assert ended.value.code == shell.INTERRUPTED
    assert [line.partition(" ")[2] for line in capsys.readouterr().out.splitlines()] == ["before", "meanwhile"]
