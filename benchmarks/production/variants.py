"""The stacks that are measured side by side."""

import os
from pathlib import Path

from benchmarks.production.checkout import HERE
from benchmarks.production.stacks import Variant

PROCESSES = 2
SHARE = 0.25  # of a processor, for a replica
ONE = {"WEB_REPLICAS": "1", "WEB_CPUS": str(os.cpu_count())}
WHERE = ("--chdir", "/srv")
BY_TCP = ("--bind", "0.0.0.0:8000")
BY_SOCKET = ("--bind", "unix:/sockets/web.sock", *BY_TCP)  # by TCP, its health is asked
KEPT, CLOSED = ("--keep-alive", "75"), ("--keep-alive", "0")

OURS = Variant("ours: `inv prod.up`")


def tutorial(name: str, application: str = "wsgi:app", module: Path | None = None) -> Variant:
    """Four processes that answer a request each and close the connection; as many processors as there are."""
    command = ("gunicorn", *WHERE, "--no-control-socket", "-w", "4", "-b", "0.0.0.0", application)  # noqa: S104  in there
    return Variant(name, command, sizes=ONE, proxy="tutorial", module=module)


TUTORIAL = tutorial("the tutorial's servers")
TUTORIAL_BY_ORM = tutorial("the tutorial's servers, orders read by the ORM", "by_orm:app", HERE / "by_orm.py")
NGINX_ALONE = Variant("nginx alone, a file of 7 KB", proxy="alone")


def _gunicorn(name: str, worker_class: str, *options: str, by_socket: bool = False) -> Variant:
    command = ["gunicorn", *WHERE, "--no-control-socket", "--worker-tmp-dir", "/dev/shm"]  # noqa: S108  the container's
    command += [] if worker_class == "gevent" else ["--preload"]  # it has to change modules before they are imported
    command += ["--workers", str(PROCESSES), "--worker-class", worker_class, *(BY_SOCKET if by_socket else BY_TCP)]
    return Variant(name, [*command, *options, "wsgi:app"], sizes=ONE, proxy="socket" if by_socket else "")


def _granian(threads: int) -> Variant:
    command = ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--no-ws"]  # noqa: S104  likewise
    command += ["--workers", str(PROCESSES), "--blocking-threads", str(threads), "--working-dir", "/srv", "wsgi:app"]
    return Variant(f"granian, 2 × {threads}", command, sizes=ONE)


TAKEN = _gunicorn("gthread, 2 × 4", "gthread", "--threads", "4", *KEPT)
SERVERS = [
    TAKEN,
    _gunicorn("gthread, 2 × 4, connections not kept", "gthread", "--threads", "4", *CLOSED),
    _gunicorn("gthread, 2 × 4, Unix socket", "gthread", "--threads", "4", *KEPT, by_socket=True),
    _gunicorn("gthread, 2 × 2", "gthread", "--threads", "2", *KEPT),
    _gunicorn("gthread, 2 × 1", "gthread", "--threads", "1", *KEPT),
    _gunicorn("sync, 2", "sync"),
    _gunicorn("sync, 2, Unix socket", "sync", by_socket=True),
    _gunicorn("gevent, 2", "gevent", *KEPT),
    _granian(1),
    _granian(4),
]


def _of_replicas(count: int) -> Variant:
    """As they are configured, but for what they may use of a processor."""
    replicas = "1 replica" if count == 1 else f"{count} replicas"
    return Variant(replicas, sizes={"WEB_REPLICAS": str(count), "WEB_CPUS": str(SHARE)})


GROWTH = [_of_replicas(count) for count in (1, 2, 4)]
IN_TURN = Variant("ours, one replica after the other asked", proxy="in_turn")
TOGETHER = [[NGINX_ALONE, TUTORIAL, TUTORIAL_BY_ORM, IN_TURN], SERVERS, GROWTH]
"""Those that start together."""
