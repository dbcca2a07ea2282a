"""What must hold between the values of a production configuration, so that a deploy loses no request."""

from collections.abc import Iterator
from typing import Any

from ops import schema, sections

Document = dict[str, Any]
Place = tuple[str, int]


def problems(document: Document) -> list[str]:
    """For a document that breaks no rule of the schema; without a word for one that describes no stack."""
    if "containers" not in document:
        return []
    return [
        *_chains(document),
        *_certificate(document),
        *connections(document, document["containers"]["web"]["replicas"]),
    ]


def _chains(document: Document) -> Iterator[str]:
    """Each time must be longer than the one before it."""
    settings = {**_defaults(), **document["environment"]}
    proxy, web = document["proxy"], document["containers"]["web"]

    graceful = ("environment/GUNICORN_GRACEFUL_TIMEOUT", settings["GUNICORN_GRACEFUL_TIMEOUT"])
    left_out = ("proxy/out_of_service_s", proxy["out_of_service_s"])
    # A replica that ends answers nothing new: nginx must leave it out until it is gone, and it must be gone by itself.
    yield from _longer(left_out, than=graceful)
    yield from _longer(("containers/web/stop_grace_s", web["stop_grace_s"]), than=graceful)
    yield from _longer(("containers/proxy/stop_grace_s", document["containers"]["proxy"]["stop_grace_s"]),
                       than=("proxy/upstream_read_s", proxy["upstream_read_s"]))  # fmt: skip
    # A request on a connection that is just being closed is lost, so the side that sends requests closes it.
    idle = ("proxy/upstream_keepalive_s", proxy["upstream_keepalive_s"])
    yield from _longer(("environment/GUNICORN_KEEPALIVE", settings["GUNICORN_KEEPALIVE"]), than=idle)
    yield from _longer(left_out, than=idle)
    # A request that waits for a connection to the database is answered before the proxy gives it up.
    waits = ("environment/POSTGRES_POOL_TIMEOUT", settings["POSTGRES_POOL_TIMEOUT"])
    yield from _longer(("proxy/upstream_read_s", proxy["upstream_read_s"]), than=waits)


def _certificate(document: Document) -> Iterator[str]:
    missing = [name for name in (sections.CERTIFICATE, sections.KEY) if name not in document["secrets"]]
    if "tls_port" in document["proxy"] and missing:
        yield f"proxy/tls_port: needs {' and '.join(missing)} named under secrets"


def connections(document: Document, replicas: int) -> Iterator[str]:
    """What is wrong with so many: in a deploy two releases serve side by side, and both have their connections."""
    settings = {**_defaults(), **document["environment"]}
    database, processes = document["containers"]["db"], settings["GUNICORN_WORKERS"]
    pool, reserved = settings["POSTGRES_POOL_SIZE"], database["reserved_connections"]
    least = 2 * replicas * processes * pool + reserved
    several = "process" if processes == 1 else "processes"
    if database["max_connections"] < least:
        yield (
            f"containers/db/max_connections: should be at least {least} for {replicas} replicas, twice in a deploy, "
            f"of {processes} {several} with {pool} connections each, and {reserved} in reserve, "
            f"got {database['max_connections']}"
        )


def _longer(place: Place, than: Place) -> Iterator[str]:
    (name, seconds), (other, least) = place, than
    if seconds <= least:
        yield f"{name}: should be more than {other}, which is {least}, got {seconds}"


def _defaults() -> dict[str, Any]:
    return {name: rule["default"] for name, rule in schema.settings("production").items() if "default" in rule}
