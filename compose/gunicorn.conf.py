"""How gunicorn serves `wsgi:app`; every number comes from the configuration."""

import os
from itertools import count

bind = "0.0.0.0:8000"
worker_class = "gthread"
workers = int(os.environ["GUNICORN_WORKERS"])
threads = int(os.environ["GUNICORN_THREADS"])
timeout = int(os.environ["GUNICORN_TIMEOUT"])
graceful_timeout = int(os.environ["GUNICORN_GRACEFUL_TIMEOUT"])
keepalive = int(os.environ["GUNICORN_KEEPALIVE"])
max_requests = int(os.environ["GUNICORN_MAX_REQUESTS"])
max_requests_jitter = max_requests // 5  # or all processes would start anew at once

# What is too large, the proxy has refused by now, in words that a client of the API reads; gunicorn's would be HTML.
limit_request_line = 0
limit_request_fields = 1100  # nginx lets 1,000 through, and adds its own
limit_request_field_size = 16_380  # bytes; it takes 0 for 8,190, and the proxy lets 8,192 through

preload_app = True  # before anything listens: what arrived meanwhile would wait; and once for all processes
worker_tmp_dir = "/dev/shm"  # a disk that is busy would look like a process that hangs
control_socket_disable = True  # the root of the container is read-only
forwarded_allow_ips = "*"  # none but the proxy reaches this network
accesslog = None  # the service writes a line a request itself, with its id

if metrics_port := int(os.environ.get("METRICS_PORT", 0)):
    from app import exposition

    exposition.prepare("/run/metrics")

    def pre_fork(arbiter, worker):
        """Give it a place among the processes: of one that has ended, where there is one, so that files stay few."""
        taken = {each.place for each in arbiter.WORKERS.values()}
        worker.place = next(place for place in count() if place not in taken)

    def post_fork(_arbiter, worker):
        exposition.begin(worker.place, metrics_port)

    def child_exit(_arbiter, worker):
        exposition.end(worker.place)
