"""Stacks of the HTTP benchmark: one replica each, with production settings except for the compared difference."""

from pathlib import Path

from packages.groundwork.benchmarks.production.stacks import Variant

HERE = Path(__file__).parent
ONE = {"WEB_REPLICAS": "1"}
NEVER = "1000000000"


def _of(module: str, name: str, **settings: str) -> Variant:
    """Return a variant that serves a module of this folder with our gunicorn configuration."""
    command = ("gunicorn", "--config", "/srv/gunicorn.conf.py", f"{module}:app")
    return Variant(name, command, {"PYTHONPATH": "/srv", **settings}, ONE, module=HERE / f"{module}.py")


OURS = Variant("ours", sizes=ONE)
PLAIN = _of("plain", "naive ORM and jsonify in a bare route", METRICS_PORT="0")

LAYERS = [
    _of("without_sign_in", "without sign-in"),
    _of("without_validation", "without validation"),
    Variant("without the line in the log", settings={"LOG_LEVEL": "WARNING"}, sizes=ONE),
    Variant("without metrics", settings={"METRICS_PORT": "0"}, sizes=ONE),
    _of("without_request_id", "without the id on the connection"),
]
"""Our service, each without one layer."""

WATCHED = Variant("ours, its memory watched", settings={"GUNICORN_MAX_REQUESTS": NEVER}, sizes=ONE)
"""Our service with one process for all requests: gunicorn never restarts the worker."""

TOGETHER = [[OURS, PLAIN, *LAYERS, WATCHED]]
