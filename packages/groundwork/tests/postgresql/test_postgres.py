"""Embedded PostgreSQL server, started for real."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from unittest.mock import Mock

import psutil
import psycopg
import pytest

from groundwork.postgresql import embedded
from groundwork.postgresql.embedded import Server
from groundwork.system import ports
from groundwork.system.errors import Exit

PASSWORD = "with @/:% and 'quotes'"


def test_starts_from_nothing_with_the_password_and_the_settings(server: Server) -> None:
    server.settings = {"work_mem": "7MB"}

    server.start()

    assert _ask(server, "SHOW work_mem") == "7MB"
    assert _ask(server, "SHOW server_version_num").startswith("18")
    assert embedded.running_port(server.data) == server.port
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        _ask(server, "SELECT 1", password="another")


def test_keeps_its_data_over_a_restart(server: Server) -> None:
    server.start()
    _ask(server, "CREATE TABLE kept AS SELECT 42 AS answer; SELECT 1")
    server.stop()
    assert embedded.running_pid(server.data) is None

    server.start()

    assert _ask(server, "SELECT answer::text FROM kept") == "42"


def test_a_server_that_was_killed_starts_again(server: Server) -> None:
    server.start()
    pid = embedded.running_pid(server.data)
    assert pid is not None
    for process in [psutil.Process(pid), *psutil.Process(pid).children()]:
        with suppress(psutil.NoSuchProcess):  # they follow the first by themselves
            process.kill()
    server.stop()

    assert embedded.running_port(server.data) is None
    server.start()

    assert _ask(server, "SELECT 'back'") == "back"


def test_a_pid_file_whose_number_another_process_has_by_now_is_not_believed(server: Server) -> None:
    server.start()
    told = (server.data / "postmaster.pid").read_text().splitlines()
    server.stop()
    (server.data / "postmaster.pid").write_text("\n".join([str(os.getpid()), *told[1:]]))

    assert embedded.running_port(server.data) is None
    server.start()

    assert _ask(server, "SELECT 'back'") == "back"


def test_the_data_of_a_server_that_runs_is_moved_with_it_and_copied_without_it(server: Server, tmp_path: Path) -> None:
    server.start()
    copied = Path(shutil.copytree(server.data, tmp_path / "copy"))
    of_the_copy = embedded.running_port(copied)
    server.data = server.data.rename(tmp_path / "moved")

    assert of_the_copy is None
    assert embedded.running_port(server.data) == server.port


def test_ctrl_c_in_the_terminal_is_not_for_the_server(server: Server) -> None:
    server.start()

    pid = embedded.running_pid(server.data)
    assert pid is not None
    assert os.getpgid(pid) != os.getpgid(0)


def test_what_it_complains_of_is_told_in_one_line(server: Server) -> None:
    server.settings = {"shared_buffers": "banana"}

    with pytest.raises(Exit) as refused:
        server.start()

    assert "shared_buffers" in str(refused.value.message)
    assert "\n" not in str(refused.value.message)
    assert embedded.running_pid(server.data) is None


def test_an_initialisation_that_fails_leaves_no_half_of_a_data_directory(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.user = "pg_reserved"

    with pytest.raises(Exit, match="initdb failed"):
        server.start()

    assert not server.data.exists()
    assert not list(server.data.parent.glob("*.draft"))


def test_one_that_is_interrupted_while_it_starts_is_ended_too(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_is_ready", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        server.start()

    server.stop()

    assert embedded.running_pid(server.data) is None


def test_stopping_what_does_not_run_says_nothing(server: Server) -> None:
    server.stop()


def test_no_folder_above_the_data_is_touched(server: Server) -> None:
    parents = list(server.data.parents)
    before = [(parent.stat().st_mode, parent.stat().st_uid) for parent in parents]

    server.start()

    assert [(parent.stat().st_mode, parent.stat().st_uid) for parent in parents] == before
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700


@pytest.mark.root
def test_where_root_may_make_no_user_namespace_nobody_runs_it_in_a_folder_of_root(
    server: Server, no_user_namespaces: None
) -> None:
    server.data.parent.chmod(0o700)

    server.start()

    pid = embedded.running_pid(server.data)
    assert psutil.Process(pid).username() == "nobody"
    assert _ask(server, "SELECT 'there'") == "there"


@pytest.mark.root
def test_a_system_that_allows_neither_is_one_line_with_the_remedy(
    server: Server, no_user_namespaces: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "NOBODY", "somebody-unknown")

    with pytest.raises(Exit, match="run this as an ordinary user, or start the container with --cap-add DAC_OVERRIDE"):
        server.start()


def _ask(server: Server, query: str, password: str | None = None) -> str:
    with psycopg.connect(
        host="127.0.0.1",
        port=server.port,
        user=server.user,
        password=password or server.password,
        dbname="postgres",
        autocommit=True,
    ) as connection:
        cursor = connection.execute(query)
        while cursor.nextset():
            pass
        row = cursor.fetchone()
    assert row is not None
    return str(row[0])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "data", ports.any_free(), "postgres", PASSWORD, initdb_options=["--no-sync"])
    yield server
    server.stop()
    command_lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    assert not [line for line in command_lines if str(server.data) in line]


@pytest.fixture
def no_user_namespaces(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("groundwork.postgresql.embedded.shutil.which", lambda name: None if name == "unshare" else name)
    embedded._unprivileged.cache_clear()
    yield
    embedded._unprivileged.cache_clear()
