"""Metrics endpoint for all processes of a replica, on a separate port; only compose/gunicorn.conf.py calls it."""

import os
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app, multiprocess, values
from prometheus_client.exposition import ThreadingWSGIServer

_place = "arbiter"


def prepare(folder: str) -> None:
    """Keep all metrics in files per process in `folder`; call this before the first metric is created."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    values.ValueClass = values.MultiProcessValue(lambda: _place)  # type: ignore[no-untyped-call]


def begin(place: int, port: int) -> None:
    """Continue the counts of the previous process in this slot, and serve the metrics on the port.

    A separate thread serves them: gunicorn's may all be busy when the metrics are needed to find out why.
    """
    global _place
    _place = str(place)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    server = make_server("0.0.0.0", port, make_wsgi_app(registry), SharedPort, Silent)  # noqa: S104  not published
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()


def end(place: int) -> None:
    """Delete the live gauges of an ended process; keep its counters."""
    multiprocess.mark_process_dead(place)  # type: ignore[no-untyped-call]


class SharedPort(ThreadingWSGIServer):
    """Server on a port that all processes share; each one answers for all."""

    allow_reuse_port = True


class Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the standard library's name
        pass
