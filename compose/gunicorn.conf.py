"""Gunicorn settings for `wsgi:app`; every number comes from the configuration."""

import json
import os
import socket
from http import HTTPStatus
from itertools import count

from gunicorn import util
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest

bind = "0.0.0.0:8000"
worker_class = "gthread"
workers = int(os.environ["GUNICORN_WORKERS"])
threads = int(os.environ["GUNICORN_THREADS"])
timeout = int(os.environ["GUNICORN_TIMEOUT"])
graceful_timeout = int(os.environ["GUNICORN_GRACEFUL_TIMEOUT"])
keepalive = int(os.environ["GUNICORN_KEEPALIVE"])
max_requests = int(os.environ["GUNICORN_MAX_REQUESTS"])
max_requests_jitter = max_requests // 5  # spreads the restarts of the workers

# The proxy has already rejected oversized requests in a format that API clients read; gunicorn would send HTML.
limit_request_line = 0
limit_request_fields = 1100  # nginx allows 1,000 and adds its own
limit_request_field_size = 16_380  # bytes; 0 would mean 8,190, and the proxy allows 8,192

preload_app = True  # import before listening, so that no request waits for it, and once for all workers
worker_tmp_dir = "/dev/shm"  # a busy disk would delay heartbeats, and the worker would seem to hang
control_socket_disable = True  # the container's root file system is read-only
forwarded_allow_ips = "*"  # only the proxy can reach this network
accesslog = None  # the service logs each request itself, with its id


def write_problem(client, status, _reason, _message):
    """Send a problem document, as the API does, for a request that gunicorn cannot parse; its path is unknown."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": "The request is not valid HTTP." if status < 500 else "The server cannot answer this request.",
        "instance": "/",
    }
    body = f"{json.dumps(document)}\n"
    head = f"HTTP/1.1 {status} {document['title']}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
    util.write_nonblock(client, f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())


util.write_error = write_problem  # gunicorn's function sends HTML, and no setting changes that


def when_ready(server):
    """Accept a connection only when its request arrives: a silent one would hold a thread for seconds."""
    for listener in server.LISTENERS if hasattr(socket, "TCP_DEFER_ACCEPT") else ():  # only on Linux
        listener.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, timeout)


def post_worker_init(worker):
    """Answer 400 if the service reads a body that is not valid HTTP: gunicorn raises while it reads the chunks."""
    worker.wsgi.register_error_handler(ParseException, lambda _: worker.wsgi.handle_http_exception(BadRequest()))


if metrics_port := int(os.environ.get("METRICS_PORT", 0)):
    from groundwork.flask.observability import metrics_server

    metrics_server.prepare("/run/metrics")

    def pre_fork(arbiter, worker):
        """Assign the lowest free slot; reusing the slots of ended workers keeps the number of metric files small."""
        taken = {each.place for each in arbiter.WORKERS.values()}
        worker.place = next(place for place in count() if place not in taken)

    def post_fork(_arbiter, worker):
        metrics_server.begin(worker.place, metrics_port)

    def child_exit(_arbiter, worker):
        metrics_server.end(worker.place)
