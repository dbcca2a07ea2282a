"""Variants of the production benchmark."""

import os

from packages.groundwork.benchmarks.production.stacks import Variant

PROCESSES = 2
SHARE = 0.25  # processors per replica
ONE = {"WEB_REPLICAS": "1", "WEB_CPUS": str(os.cpu_count())}
WHERE = ("--chdir", "/srv")
BY_TCP = ("--bind", "0.0.0.0:8000")
BY_SOCKET = ("--bind", "unix:/sockets/web.sock", *BY_TCP)  # the health check uses TCP
KEPT, CLOSED = ("--keep-alive", "75"), ("--keep-alive", "0")

OURS = Variant("ours: `inv prod.up`")


# Four sync workers, without keep-alive, that may use all processors.
TUTORIAL = Variant(
    "the tutorial's servers",
    ("gunicorn", *WHERE, "--no-control-socket", "-w", "4", "-b", "0.0.0.0", "wsgi:app"),  # noqa: S104  in a container
    sizes=ONE,
    proxy="tutorial",
)
NGINX_ALONE = Variant("nginx alone, a file of 7 KB", proxy="alone")


def _gunicorn(name: str, worker_class: str, *options: str, by_socket: bool = False) -> Variant:
    command = ["gunicorn", *WHERE, "--no-control-socket", "--worker-tmp-dir", "/dev/shm"]  # noqa: S108  inside the container
    command += [] if worker_class == "gevent" else ["--preload"]  # gevent has to patch modules before they are imported
    command += ["--workers", str(PROCESSES), "--worker-class", worker_class, *(BY_SOCKET if by_socket else BY_TCP)]
    return Variant(name, [*command, *options, "wsgi:app"], sizes=ONE, proxy="socket" if by_socket else "")


def _granian(threads: int) -> Variant:
    command = ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--no-ws"]  # noqa: S104  in a container
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
    """Return a variant with `count` replicas as configured, except for their share of a processor."""
    replicas = "1 replica" if count == 1 else f"{count} replicas"
    return Variant(replicas, sizes={"WEB_REPLICAS": str(count), "WEB_CPUS": str(SHARE)})


GROWTH = [_of_replicas(count) for count in (1, 2, 4)]
LEAST_BUSY = Variant("ours, with `least_conn`", proxy="least_busy")
TOGETHER = [[NGINX_ALONE, TUTORIAL, LEAST_BUSY], SERVERS, GROWTH]
"""Groups that start together."""
