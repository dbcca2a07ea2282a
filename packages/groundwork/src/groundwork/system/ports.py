"""Free TCP ports on this machine."""

import os
import socket

from groundwork.system import shell
from groundwork.system.errors import Exit

TRIES = 100
HIGHEST = 65535
_reservations: list[socket.socket] = []


def claim(first: int) -> int:
    """Return `first` or the next free port after it.

    The port stays reserved among callers of this function until this process ends. Raises Exit if no port is free, or
    if this user may not listen on `first`.
    """
    if first > HIGHEST:
        raise Exit(f"port {first}: should be at most {HIGHEST}", code=1)
    if isinstance(_bind_error(first), PermissionError):
        raise Exit(f"port {first}: this user may not listen on it: choose one from 1024", code=1)
    for port in range(first, min(first + TRIES, HIGHEST + 1)):
        if not is_taken(port) and _reserve(port):
            return port
    raise Exit(f"no port is free from {first} to {first + TRIES - 1}: stop a program that uses one", code=1)


def claim_with_notice(wanted: int, service: str) -> int:
    """Claim a port, and print a note if it is not the wanted one. Raises Exit as `claim` does."""
    port = claim(wanted)
    if port != wanted:
        shell.note(f"port {wanted} is taken: {service} listens on {port}")
    return port


def any_free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def is_taken(port: int) -> bool:
    """Return whether the port is in use. A port reserved for root counts as free: the Docker Engine can use it."""
    error = _bind_error(port)
    return _accepts_connections(port) or (error is not None and not isinstance(error, PermissionError))


def _accepts_connections(port: int) -> bool:
    """Try IPv4 and IPv6: on macOS, bind succeeds next to a service that listens on all addresses."""
    for host in ("127.0.0.1", "::1"):
        try:
            socket.create_connection((host, port), timeout=0.2).close()
        except OSError:
            continue
        return True
    return False


def _bind_error(port: int) -> OSError | None:
    """Return the error of listening on the port; None if that works."""
    with socket.socket() as probe:
        if os.name == "posix":  # a port released seconds ago counts as free; on Windows the option means something else
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as refused:
            return refused
    return None


def _reserve(port: int) -> bool:
    """Bind the UDP port of the same number as a mark, which the system releases when this process ends.

    A server listens only seconds later. Without the mark, two tasks that start together would choose the same port.
    """
    reservation = socket.socket(type=socket.SOCK_DGRAM)
    try:
        reservation.bind(("127.0.0.1", port))
    except OSError:
        reservation.close()
        return False
    _reservations.append(reservation)
    return True
