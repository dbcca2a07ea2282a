"""Free ports for several servers on one machine."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from subprocess import PIPE
from unittest.mock import Mock

import pytest

from groundwork.system import ports
from groundwork.system.errors import Exit


def test_the_wanted_port_is_taken_when_it_is_free() -> None:
    port = ports.any_free()

    assert ports.claim(port) == port


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104  as a service beside us may
def test_a_port_on_which_something_listens_is_passed_over(host: str) -> None:
    with socket.socket() as listener:
        listener.bind((host, 0))
        listener.listen()
        taken: int = listener.getsockname()[1]

        assert ports.claim(taken) > taken


def test_a_port_that_is_only_bound_is_passed_over(bound: int) -> None:
    assert ports.claim(bound) > bound


def test_two_that_ask_at_once_get_two_ports() -> None:
    first = ports.any_free()
    ask = f"from groundwork.system import ports; print(ports.claim({first}), flush=True); input()"

    with subprocess.Popen([sys.executable, "-c", ask], stdin=PIPE, stdout=PIPE, text=True) as other:
        assert other.stdout is not None
        theirs = int(other.stdout.readline())
        ours = ports.claim(first)
        other.communicate("\n")

    assert theirs == first
    assert ours > first
    assert ports.claim(first) == first


def test_no_free_port_at_all_is_said(bound: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "TRIES", 1)

    with pytest.raises(Exit, match=f"no port is free from {bound} to {bound}"):
        ports.claim(bound)


def test_a_port_that_only_root_may_listen_on_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "bind", Mock(side_effect=PermissionError))  # as of another user than root

    with pytest.raises(Exit, match="port 80: this user may not listen on it: choose one from 1024"):
        ports.claim(80)


def test_a_port_beyond_the_last_one_is_said() -> None:
    with pytest.raises(Exit, match="port 70000: should be at most 65535"):
        ports.claim(70000)


@pytest.fixture(autouse=True)
def claims(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Release the ports that a test claimed."""
    claimed: list[socket.socket] = []
    monkeypatch.setattr(ports, "_reservations", claimed)
    yield
    for mark in claimed:
        mark.close()


@pytest.fixture
def bound() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]
