"""Sections of the configuration files that only the tasks read, not the service.

A section is a dataclass, and the rule of each entry is in its field: config/schema.json is generated from them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar, get_args, get_type_hints

Schema = dict[str, Any]
T = TypeVar("T")

CERTIFICATE, KEY = "TLS_CERTIFICATE", "TLS_KEY"
SECRETS = ["MIGRATOR_PASSWORD", CERTIFICATE, KEY]
"""Secrets that the service must not get."""
TYPES = {int: "integer", float: "number", str: "string", bool: "boolean", Sequence[str]: "array"}
LAST_PORT = 65535
IMAGE = "^[^:@]+(:[0-9]+/[^:@]+)?[:@][^:@]"
DOMAIN = r"^([a-z0-9-]+\.)+[a-z]{2,}$"


def _entry(description: str, default: object = MISSING, **rules: object) -> Any:
    """Return the field of an entry, which may be left out if it has a default."""
    return field(default=default, metadata={"description": description, **rules})


def _number(description: str, least: float = 1, most: float | None = None, default: object = MISSING) -> Any:
    limits = {"minimum": least} if most is None else {"minimum": least, "maximum": most}
    return _entry(description, default, **limits)


def _text(description: str, pattern: str, default: object = MISSING) -> Any:
    return _entry(description, default, pattern=pattern)


@dataclass(frozen=True, kw_only=True)
class Images:
    """Container images from a registry."""

    postgres: str = _text("", IMAGE)
    nginx: str = _text("", IMAGE, default="")


@dataclass(frozen=True, kw_only=True)
class Migrations:
    """Limit for blocking by migrations, and the database role that runs them."""

    longest_blocked_ms: int = _number("Longest block of a query by a migration in ms; see `inv db.rehearse`")
    role: str = _entry(
        "Database role that owns the tables; its password is the secret MIGRATOR_PASSWORD", default="", minLength=1
    )


@dataclass(frozen=True, kw_only=True)
class Container:
    """Limits of a container."""

    cpus: float = _number("CPU limit", 0.01)
    memory_mb: int = _number("Memory limit; the container is killed above it", 16)
    stop_grace_s: int = _number("Seconds from the stop signal to the kill")


@dataclass(frozen=True, kw_only=True)
class DatabaseContainer(Container):
    """PostgreSQL."""

    max_connections: int = _number("Maximum number of connections; RDS applies a new value after a reboot", 1, 262_143)
    reserved_connections: int = _number("Connections reserved for migrations, backups and administrators")
    slow_statement_ms: int = _number("Statements that take this long in ms are logged, with their request", 0)


@dataclass(frozen=True, kw_only=True)
class MigrateContainer(Container):
    """Runs the migrations before the service starts, then exits."""


@dataclass(frozen=True, kw_only=True)
class Health:
    """Health check of a replica; times are in seconds."""

    command: Sequence[str] = _entry(
        "Command run in the container without a shell, plus a path; exit code 0 means healthy",
        items={"type": "string", "minLength": 1},
        minItems=1,
    )
    ready_path: str = _text("Path of the readiness check, for Compose and the load balancer on AWS", "^/")
    alive_path: str = _text("Path of the liveness check, without the database; ECS replaces a failing replica", "^/")
    interval_s: int = _number("Time between two checks", 5, 300)
    timeout_s: int = _number("Timeout of a check", 2, 60)
    retries: int = _number("Consecutive failures until a replica is unhealthy", 2, 10)
    start_period_s: int = _number("Time after the start in which failures do not count", 1, 300)


@dataclass(frozen=True, kw_only=True)
class WebContainer(Container):
    """The service under gunicorn."""

    replicas: int = _number("Number of replicas")
    user: str = _text("UID:GID of web, migrate and, on AWS, nginx", "^[1-9][0-9]*:[1-9][0-9]*$")
    health: Health


@dataclass(frozen=True, kw_only=True)
class ProxyContainer(Container):
    """nginx."""

    port: int = _number("Port for HTTP on the host", 1, LAST_PORT)


@dataclass(frozen=True, kw_only=True)
class Containers:
    """Containers of the production stack."""

    db: DatabaseContainer
    migrate: MigrateContainer
    web: WebContainer
    proxy: ProxyContainer


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """Settings of nginx; times are in seconds."""

    workers: int = _number("Number of worker processes")
    connections: int = _number("Maximum connections of a worker process, including those to replicas", 64)
    requests_per_place: int = _number(
        "Concurrent requests of one client address or one /64 network of IPv6; more get status 429",
        1,
        65_535,  # of nginx's limit_conn
    )
    upstream_keepalive_s: int = _number("Keep-alive of idle connections to replicas; below GUNICORN_KEEPALIVE")
    upstream_connect_s: int = _number("Timeout of a connection to a replica; then another replica is tried")
    upstream_read_s: int = _number("Longest pause in a response of a replica; then the client gets status 504")
    out_of_service_s: int = _number("Time without requests for a replica that fails or drains")
    client_header_s: int = _number("Timeout for the request headers of a client")
    client_body_s: int = _number("Longest pause in the request body of a client")
    client_keepalive_s: int = _number("Keep-alive time of idle connections of clients")
    body_kb: int = _number("Largest request body in KB")
    writes_per_second: int = _number("Average write requests per second and client address")
    writes_burst: int = _number("Write requests that a client address may send at once; more get status 429")
    passwords_per_second: int = _number("Average registrations and sign-ins per second and client address")
    passwords_burst: int = _number("Registrations and sign-ins that a client address may send at once")
    tls_port: int | None = _number(
        "Port for HTTPS on the host; HTTP requests are redirected to it. Without it, there is no TLS",
        1,
        LAST_PORT,
        default=None,
    )


@dataclass(frozen=True, kw_only=True)
class Autoscaling:
    """Additional replicas under load; containers/web/replicas is the minimum."""

    replicas_max: int = _number("Maximum number of replicas")
    cpu_percent: int = _number("Target CPU utilization of web in percent", 10, 90)
    requests_per_minute: int = _number("Target requests per minute and replica")


@dataclass(frozen=True, kw_only=True)
class CloudDatabase:
    """RDS instance of PostgreSQL."""

    instance_class: str = _text("RDS instance class", r"^db\.[a-z0-9]+\.[a-z0-9]+$")
    storage_gb: int = _number("Initial storage in GB", 20)
    storage_max_gb: int = _number("Maximum storage in GB for automatic growth", 22)
    backup_days: int = _number("Days of point-in-time recovery", 1, 35)
    standby: bool = _entry("Standby in another zone for failover (Multi-AZ)")


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """Settings for terraform/ in addition to the other sections."""

    name: str = _text("Name prefix of all AWS resources; do not change it later", "^[a-z][a-z0-9-]{0,17}[a-z0-9]$")
    account: str = _text("AWS account ID; other accounts are refused", "^[0-9]{12}$", default="")
    region: str = _text("AWS region", "^[a-z]{2}(-[a-z]+)+-[0-9]$")
    state_bucket: str = _text(
        "S3 bucket for the Terraform state; its name must be globally unique", "^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$"
    )
    zones: Sequence[str] = _entry(
        "Letters of the availability zones",
        items={"type": "string", "pattern": "^[a-f]$"},
        minItems=2,
        maxItems=6,
        uniqueItems=True,
    )
    network: str = _text("CIDR block of the VPC; two sixteenths for each zone", r"^[0-9.]+/(1[6-9]|2[0-2])$")
    domain: str = _text("Domain name of the service", DOMAIN)
    hosted_zone: str = _text("Route 53 hosted zone, to create a certificate", DOMAIN, default="")
    certificate: str = _text(
        "ARN of an ACM certificate, if Route 53 does not host the domain", "^arn:aws:acm:", default=""
    )
    log_days: int = _entry(
        "Retention of logs in days", enum=[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731]
    )
    images_kept: int = _number("Number of versions kept in the registry for rollbacks", 2)
    secrets_version: int = _number("Version of the generated secrets; increment it to rotate all of them")
    alarm_email: str = _text("Email address for alarms", "^[^@ ]+@[^@ ]+$", default="")
    github_repository: str = _text(
        "OWNER/NAME of the repository whose workflows may deploy", "^[^/ ]+/[^/ ]+$", default=""
    )
    migration_timeout_s: int = _number("Timeout in seconds for a migration")
    deployment_timeout_s: int = _number("Timeout in seconds for a new version to become stable")
    autoscaling: Autoscaling
    database: CloudDatabase


def read(section: type[T], values: Mapping[str, Any]) -> T:
    """Return the section with these values, which are valid by its schema."""
    kinds = get_type_hints(section)
    return section(
        **{name: read(kinds[name], value) if isinstance(value, dict) else value for name, value in values.items()}
    )


def schema(section: type) -> Schema:
    """Return the JSON Schema of a section."""
    kinds = get_type_hints(section)
    entries = fields(section)
    return {
        "description": (section.__doc__ or "").rstrip("."),
        "type": "object",
        "properties": {
            each.name: _schema_of_entry(kinds[each.name], each.metadata) if each.metadata else schema(kinds[each.name])
            for each in entries
        },
        "required": [each.name for each in entries if each.default is MISSING],
        "additionalProperties": False,
    }


def _schema_of_entry(kind: Any, rules: Mapping[str, Any]) -> Schema:
    (kind, *_) = get_args(kind) if type(None) in get_args(kind) else (kind,)
    described = {"description": rules["description"]} if rules["description"] else {}
    typed = {} if "enum" in rules else {"type": TYPES[kind]}
    return {**described, **typed, **{name: rule for name, rule in rules.items() if name != "description"}}
