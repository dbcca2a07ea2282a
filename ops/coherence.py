"""What must hold between the values of a production configuration: so that a deploy loses no request, on AWS too."""

from collections.abc import Iterator
from typing import Any

from ops import schema, sections

Document = dict[str, Any]
Place = tuple[str, int]
FARGATE = {"cpus": 16, "memory_mb": 120 * 1024, "stop_grace_s": 120}


def problems(document: Document) -> list[str]:
    """For a document that breaks no rule of the schema; without a word for one that describes no stack."""
    if "containers" not in document:
        return []
    return [
        *_chains(document),
        *_certificate(document),
        *connections(document, document["containers"]["web"]["replicas"]),
        *(_cloud(document) if "cloud" in document else ()),
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


def _cloud(document: Document) -> Iterator[str]:
    """What ECS, its load balancer and RDS insist on, so that no apply ends half-way."""
    settings = {**_defaults(), **document["environment"]}
    cloud, containers = document["cloud"], document["containers"]
    web, database = containers["web"], cloud["database"]

    # There the load balancer is the proxy; it closes idle connections of clients and of replicas after the same time.
    idle = ("proxy/client_keepalive_s", document["proxy"]["client_keepalive_s"])
    yield from _longer(("environment/GUNICORN_KEEPALIVE", settings["GUNICORN_KEEPALIVE"]), than=idle)
    asked = ("containers/web/health/timeout_s", web["health"]["timeout_s"])
    yield from _longer(("containers/web/health/interval_s", web["health"]["interval_s"]), than=asked)
    for name in ("web", "migrate"):
        for limit, most in FARGATE.items():
            if containers[name][limit] > most:
                yield f"containers/{name}/{limit}: should be at most {most} on Fargate, got {containers[name][limit]}"

    least, most = web["replicas"], cloud["autoscaling"]["replicas_max"]
    if most < least:
        yield f"cloud/autoscaling/replicas_max: should be at least containers/web/replicas, {least}, got {most}"
    elif most > least:
        for problem in connections(document, most):
            yield f"cloud/autoscaling/replicas_max: {problem}"
    if ("hosted_zone" in cloud) == ("certificate" in cloud):
        yield "cloud: needs either hosted_zone, where a certificate is made, or the certificate that is there"
    zone = cloud.get("hosted_zone", "")
    if zone and not f".{cloud['domain']}".endswith(f".{zone}"):
        yield f"cloud/domain: should be in cloud/hosted_zone, {zone}, got {cloud['domain']}"
    least, most = -(-database["storage_gb"] * 11 // 10), database["storage_max_gb"]
    if most < least:
        yield f"cloud/database/storage_max_gb: should be at least {least}, a tenth more than at first, got {most}"


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
