"""Ports for servers that stand beside each other."""

import socket
from collections.abc import Iterator

import pytest
from invoke.exceptions import Exit

from ops import ports


def test_the_wanted_port_is_taken_when_it_is_free() -> None:
    port = ports.any_free()

    assert ports.free(port) == port


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104  as a service beside us may
def test_a_port_on_which_something_listens_is_passed_over(host: str) -> None:
    with socket.socket() as listener:
        listener.bind((host, 0))
        listener.listen()
        taken: int = listener.getsockname()[1]

        assert ports.free(taken) > taken


def test_a_port_that_is_only_bound_is_passed_over(bound: int) -> None:
    assert ports.free(bound) > bound


def test_no_free_port_at_all_is_said(bound: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "TRIES", 1)

    with pytest.raises(Exit, match=f"no port is free from {bound} to {bound}"):
        ports.free(bound)


@pytest.fixture
def bound() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]
