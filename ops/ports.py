"""Finding a TCP port on this machine."""

import os
import socket

from invoke.exceptions import Exit

from ops import shell

TRIES = 100
LAST = 65535
_claims: list[socket.socket] = []


def claim(first: int) -> int:
    """`first`, or the next port after it on which nothing listens and which may be listened on.

    Until this process ends, no other that asks here is given the same one. Raises Exit where all are taken, or where
    this user may not listen on it.
    """
    if first > LAST:
        raise Exit(f"port {first}: should be at most {LAST}", code=1)
    if isinstance(_refusal(first), PermissionError):
        raise Exit(f"port {first}: this user may not listen on it; choose one from 1024", code=1)
    for port in range(first, min(first + TRIES, LAST + 1)):
        if not is_taken(port) and _is_ours_now(port):
            return port
    raise Exit(f"no port is free from {first} to {first + TRIES - 1}", code=1)


def claim_aloud(wanted: int, who: str) -> int:
    """The same, and a word to the user where it is another one."""
    port = claim(wanted)
    if port != wanted:
        shell.note(f"port {wanted} is taken: {who} listens on {port}")
    return port


def any_free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def is_taken(port: int) -> bool:
    """Return whether something listens on the port. One that only root may listen on is free: an engine can use it."""
    refusal = _refusal(port)
    return _answers(port) or (refusal is not None and not isinstance(refusal, PermissionError))


def _answers(port: int) -> bool:
    """Asked on both families: on macOS a service on every address does not keep us from listening on one."""
    for host in ("127.0.0.1", "::1"):
        try:
            socket.create_connection((host, port), timeout=0.2).close()
        except OSError:
            continue
        return True
    return False


def _refusal(port: int) -> OSError | None:
    """Return why this process cannot listen on the port; None if it can."""
    with socket.socket() as probe:
        if os.name == "posix":  # a port that was left seconds ago counts as free; Windows means otherwise by it
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as refused:
            return refused
    return None


def _is_ours_now(port: int) -> bool:
    """The UDP port of the same number, which the server does not need, is the mark: it goes when this process does.

    Seconds pass until the server listens; without it, two that start at once would choose alike.
    """
    mark = socket.socket(type=socket.SOCK_DGRAM)
    try:
        mark.bind(("127.0.0.1", port))
    except OSError:
        mark.close()
        return False
    _claims.append(mark)
    return True
