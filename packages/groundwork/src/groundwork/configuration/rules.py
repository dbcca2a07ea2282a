"""Cross-field validation rules for production: with them, no deploy loses a request, on one machine or on AWS."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from groundwork.configuration import schema, sections
from groundwork.configuration.sections import Cloud, Containers, DatabaseContainer, Proxy

Document = dict[str, Any]
Setting = tuple[str, int]
NGINX_MB, TEMPORARY_MB = 16, 64
"""Memory of nginx without connections, and the size limit of its /tmp in compose/production.yml."""
CONNECTION_KB, TLS_KB = 36, 36
"""Maximum memory of a connection with the buffers in compose/nginx/nginx.conf: 34 kB measured, and 33 more with TLS."""
DATABASE_MB, MB_PER_CONNECTION = 150, 2
"""Measured with PostgreSQL 18: 145 MB of shared memory, plus 0.05 for each connection; an idle connection takes 1.3."""
LOAD_BALANCER_S = 5
"""Seconds by which the load balancer closes idle connections earlier than nginx, in terraform/load_balancer.tf."""
FARGATE = {"cpus": 16, "memory_mb": 120 * 1024, "stop_grace_s": 120}


def problems(document: Document) -> list[str]:
    """Return the broken rules. The document must be valid by the schema; one without containers has no rules."""
    if "containers" not in document:
        return []
    containers = sections.read(Containers, document["containers"])
    proxy = sections.read(Proxy, document["proxy"])
    settings = {**_defaults(), **document["environment"]}
    return [
        *_timeout_order(settings, containers, proxy),
        *_certificate(proxy, document["secrets"]),
        *_proxy_memory(containers, proxy),
        *connection_problems(document, containers.web.replicas),
        *_database_memory(containers.db),
        *(_cloud(document, containers, proxy) if "cloud" in document else ()),
    ]


def _timeout_order(settings: Mapping[str, int], containers: Containers, proxy: Proxy) -> Iterator[str]:
    """Yield timeouts that are too short for a deploy without lost requests."""
    graceful = ("environment/GUNICORN_GRACEFUL_TIMEOUT", settings["GUNICORN_GRACEFUL_TIMEOUT"])
    out_of_service = ("proxy/out_of_service_s", proxy.out_of_service_s)
    read = ("proxy/upstream_read_s", proxy.upstream_read_s)
    # A stopping replica accepts no requests: nginx must exclude it until it has ended, and it must end before the kill.
    yield from _must_exceed(out_of_service, than=graceful)
    yield from _must_exceed(("containers/web/stop_grace_s", containers.web.stop_grace_s), than=graceful)
    yield from _must_exceed(("containers/proxy/stop_grace_s", containers.proxy.stop_grace_s), than=read)
    # A request on a connection that is being closed is lost, so the side that sends requests must close it first.
    idle = ("proxy/upstream_keepalive_s", proxy.upstream_keepalive_s)
    yield from _must_exceed(("environment/GUNICORN_KEEPALIVE", settings["GUNICORN_KEEPALIVE"]), than=idle)
    yield from _must_exceed(out_of_service, than=idle)
    # A request that waits for a connection or a statement must get its answer before the proxy times out.
    for name in ("POSTGRES_POOL_TIMEOUT", "POSTGRES_STATEMENT_TIMEOUT"):
        timeout = (f"environment/{name}", settings[name])
        yield from _must_exceed(read, than=timeout)


def _certificate(proxy: Proxy, secrets: list[str]) -> Iterator[str]:
    missing = [name for name in (sections.CERTIFICATE, sections.KEY) if name not in secrets]
    if proxy.tls_port and missing:
        yield f"proxy/tls_port: is set, but secrets lacks {' and '.join(missing)}: add them, or remove tls_port"


def _proxy_memory(containers: Containers, proxy: Proxy) -> Iterator[str]:
    """Yield a problem if clients that fill the buffers of all connections would get nginx killed for its memory."""
    memory = containers.proxy.memory_mb
    each = CONNECTION_KB + (TLS_KB if proxy.tls_port else 0)
    least = NGINX_MB + TEMPORARY_MB + proxy.workers * proxy.connections * each // 1024
    if memory < least:
        yield (
            f"containers/proxy/memory_mb: should be at least {least} for {proxy.workers} processes with "
            f"{proxy.connections} connections of {each} kB each, plus {TEMPORARY_MB} MB of temporary files, "
            f"got {memory}"
        )


def _cloud(document: Document, containers: Containers, proxy: Proxy) -> Iterator[str]:
    """Yield violations of limits of ECS, the load balancer and RDS, which would make an apply fail half-way."""
    cloud = sections.read(Cloud, document["cloud"])
    web = containers.web

    # The load balancer, whose idle timeout is LOAD_BALANCER_S shorter, must wait for an answer as long as nginx does.
    read = ("proxy/upstream_read_s", proxy.upstream_read_s)
    idle = ("proxy/client_keepalive_s", proxy.client_keepalive_s)
    yield from _must_exceed(idle, than=(f"{read[0]} and {LOAD_BALANCER_S}", read[1] + LOAD_BALANCER_S))
    timeout = ("containers/web/health/timeout_s", web.health.timeout_s)
    yield from _must_exceed(("containers/web/health/interval_s", web.health.interval_s), than=timeout)
    limits = asdict(containers)
    for limit, most in FARGATE.items():
        values = {name: limits[name][limit] for name in ("web", "proxy", "migrate")}
        for name, value in values.items():
            if value > most:
                yield f"containers/{name}/{limit}: should be at most {most} on Fargate, got {value}"
        together = round(values["web"] + values["proxy"], 2)
        if limit != "stop_grace_s" and together > most:
            yield (
                f"containers/web/{limit}: should be at most {most} on Fargate together with containers/proxy/{limit}, "
                f"got {together}"
            )

    least, most = web.replicas, cloud.autoscaling.replicas_max
    if most < least:
        yield f"cloud/autoscaling/replicas_max: should be at least containers/web/replicas, {least}, got {most}"
    elif most > least:
        for problem in connection_problems(document, most):
            yield f"cloud/autoscaling/replicas_max: {problem}"
    if bool(cloud.hosted_zone) == bool(cloud.certificate):
        yield "cloud: should have either hosted_zone, to create a certificate, or certificate, to use an existing one"
    zone = cloud.hosted_zone
    if zone and not f".{cloud.domain}".endswith(f".{zone}"):
        yield f"cloud/domain: should be in cloud/hosted_zone {zone}, got {cloud.domain}"
    least, most = -(-cloud.database.storage_gb * 11 // 10), cloud.database.storage_max_gb
    if most < least:
        yield f"cloud/database/storage_max_gb: should be at least {least}, 10 % more than storage_gb, got {most}"


def connection_problems(document: Document, replicas: int) -> Iterator[str]:
    """Yield a problem if PostgreSQL allows too few connections: in a deploy, two releases hold connections."""
    settings = {**_defaults(), **document["environment"]}
    database, processes = sections.read(Containers, document["containers"]).db, settings["GUNICORN_WORKERS"]
    pool, reserved = settings["POSTGRES_POOL_SIZE"], database.reserved_connections
    least = 2 * replicas * processes * pool + reserved
    noun = "process" if processes == 1 else "processes"
    reboot = "; RDS applies a new value after a reboot" if "cloud" in document else ""
    if database.max_connections < least:
        yield (
            f"containers/db/max_connections: should be at least {least} for {replicas} replicas, doubled in a deploy, "
            f"of {processes} {noun} with {pool} connections each, plus {reserved} reserved, "
            f"got {database.max_connections}{reboot}"
        )


def _database_memory(database: DatabaseContainer) -> Iterator[str]:
    """Yield a problem if PostgreSQL's shared memory and its connections may take more than its memory limit."""
    least = DATABASE_MB + MB_PER_CONNECTION * database.max_connections
    if database.memory_mb < least:
        yield (
            f"containers/db/memory_mb: should be at least {least} for {database.max_connections} connections, "
            f"{DATABASE_MB} plus {MB_PER_CONNECTION} for each, got {database.memory_mb}"
        )


def _must_exceed(setting: Setting, than: Setting) -> Iterator[str]:
    (name, seconds), (other, least) = setting, than
    if seconds <= least:
        yield f"{name}: should be more than {least} ({other}), got {seconds}"


def _defaults() -> dict[str, Any]:
    return {name: rule["default"] for name, rule in schema.settings("production").items() if "default" in rule}
