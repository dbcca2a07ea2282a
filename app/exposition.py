"""The metrics of all processes of a replica, on a port of their own; called by compose/gunicorn.conf.py alone."""

import os
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app, multiprocess, values
from prometheus_client.exposition import ThreadingWSGIServer

_place = "arbiter"


def prepare(folder: str) -> None:
    """Before the first metric is made: all of them are kept there, in files of each process."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    values.ValueClass = values.MultiProcessValue(lambda: _place)  # type: ignore[no-untyped-call]


def begin(place: int, port: int) -> None:
    """As the process that has this place: go on with the counts of the one before it, and answer on the port.

    In a thread of its own: those of gunicorn may all be busy just when somebody wants to know why.
    """
    global _place
    _place = str(place)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    server = make_server("0.0.0.0", port, make_wsgi_app(registry), SharedPort, Silent)  # noqa: S104  no port is published
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()


def end(place: int) -> None:
    """What it was at is not under way any more; what it has counted stays counted."""
    multiprocess.mark_process_dead(place)  # type: ignore[no-untyped-call]


class SharedPort(ThreadingWSGIServer):
    """All processes listen on the same port: whoever is asked answers for all."""

    allow_reuse_port = True


class Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name in the standard library
        pass
