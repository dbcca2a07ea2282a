"""The stacks that are measured side by side: one replica each, with production's settings but for what is compared."""

from pathlib import Path

from benchmarks.production.stacks import Variant

HERE = Path(__file__).parent
ONE = {"WEB_REPLICAS": "1"}
NEVER = "1000000000"


def _of(module: str, name: str, **settings: str) -> Variant:
    """Served as ours is, from a module of this folder."""
    command = ("gunicorn", "--config", "/srv/gunicorn.conf.py", f"{module}:app")
    return Variant(name, command, {"PYTHONPATH": "/srv", **settings}, ONE, module=HERE / f"{module}.py")


OURS = Variant("ours", sizes=ONE)
BARE = _of("bare", "Core and orjson in a bare route", METRICS_PORT="0")
PLAIN = _of("plain", "ORM and jsonify in a bare route", METRICS_PORT="0")

LAYERS = [
    _of("without_sign_in", "without sign-in"),
    _of("without_validation", "without validation"),
    Variant("without the line in the log", settings={"LOG_LEVEL": "WARNING"}, sizes=ONE),
    Variant("without metrics", settings={"METRICS_PORT": "0"}, sizes=ONE),
    _of("without_request_id", "without the id on the connection"),
]
"""Ours, each but for one of them."""

WATCHED = Variant("ours, its memory watched", settings={"GUNICORN_MAX_REQUESTS": NEVER}, sizes=ONE)
"""The same process to the end."""

TOGETHER = [[OURS, BARE, PLAIN, *LAYERS, WATCHED]]
