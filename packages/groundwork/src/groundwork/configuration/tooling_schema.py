"""JSON Schema of the configuration sections that only the tasks read, not the service."""

from typing import Any

Schema = dict[str, Any]

CERTIFICATE, KEY = "TLS_CERTIFICATE", "TLS_KEY"
SECRETS = ["MIGRATOR_PASSWORD", CERTIFICATE, KEY]
"""Secrets that the service must not get."""


def _number(description: str, least: float = 1, kind: str = "integer") -> Schema:
    return {"description": description, "type": kind, "minimum": least}


def _section(description: str, properties: Schema, optional: tuple[str, ...] = ()) -> Schema:
    return {
        "description": description,
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _container(description: str, **own: Schema) -> Schema:
    size = {
        "cpus": _number("CPU limit", least=0.01, kind="number"),
        "memory_mb": _number("Memory limit; the container is killed above it", least=16),
        "stop_grace_s": _number("Seconds from the stop signal to the kill"),
    }
    return _section(description, {**size, **own})


def _text(description: str, pattern: str) -> Schema:
    return {"description": description, "type": "string", "pattern": pattern}


HEALTH = _section(
    "Health check of a replica; times are in seconds",
    {
        "command": {
            "description": "Command run in the container without a shell, plus a path; exit code 0 means healthy",
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "minItems": 1,
        },
        "ready_path": _text("Path of the readiness check, for Compose and the load balancer on AWS", "^/"),
        "alive_path": _text("Path of the liveness check, without the database; ECS replaces a failing replica", "^/"),
        "interval_s": {**_number("Time between two checks", least=5), "maximum": 300},
        "timeout_s": {**_number("Timeout of a check", least=2), "maximum": 60},
        "retries": {**_number("Consecutive failures until a replica is unhealthy", least=2), "maximum": 10},
        "start_period_s": {**_number("Time after the start in which failures do not count"), "maximum": 300},
    },
)

IMAGE: Schema = {"type": "string", "pattern": "^[^:@]+(:[0-9]+/[^:@]+)?[:@][^:@]"}

IMAGES = _section("Container images from a registry", {"postgres": IMAGE, "nginx": IMAGE}, optional=("nginx",))

MIGRATIONS = _section(
    "Limit for blocking by migrations, and the database role that runs them",
    {
        "longest_blocked_ms": _number("Longest block of a query by a migration in ms; see `inv db.rehearse`"),
        "role": {
            "description": "Database role that owns the tables; its password is the secret MIGRATOR_PASSWORD",
            "type": "string",
            "minLength": 1,
        },
    },
    optional=("role",),
)

CONTAINERS = _section(
    "Containers of the production stack",
    {
        "db": _container(
            "PostgreSQL",
            max_connections={
                **_number("Maximum number of connections; RDS applies a new value after a reboot"),
                "maximum": 262_143,
            },
            reserved_connections=_number("Connections reserved for migrations, backups and administrators"),
            slow_statement_ms=_number("Statements that take this long in ms are logged, with their request", least=0),
        ),
        "migrate": _container("Runs the migrations before the service starts, then exits"),
        "web": _container(
            "The service under gunicorn",
            replicas=_number("Number of replicas"),
            user=_text("UID:GID of web, migrate and, on AWS, nginx", "^[1-9][0-9]*:[1-9][0-9]*$"),
            health=HEALTH,
        ),
        "proxy": _container("nginx", port={**_number("Port for HTTP on the host"), "maximum": 65535}),
    },
)

PROXY = _section(
    "Settings of nginx; times are in seconds",
    {
        "workers": _number("Number of worker processes"),
        "connections": _number("Maximum connections of a worker process, including those to replicas", least=64),
        "requests_per_place": {
            **_number("Concurrent requests of one client address or one /64 network of IPv6; more get status 429"),
            "maximum": 65_535,  # of nginx's limit_conn
        },
        "upstream_keepalive_s": _number("Keep-alive of idle connections to replicas; below GUNICORN_KEEPALIVE"),
        "upstream_connect_s": _number("Timeout of a connection to a replica; then another replica is tried"),
        "upstream_read_s": _number("Longest pause in a response of a replica; then the client gets status 504"),
        "out_of_service_s": _number("Time without requests for a replica that fails or drains"),
        "client_header_s": _number("Timeout for the request headers of a client"),
        "client_body_s": _number("Longest pause in the request body of a client"),
        "client_keepalive_s": _number("Keep-alive time of idle connections of clients"),
        "body_kb": _number("Largest request body in KB"),
        "writes_per_second": _number("Average write requests per second and client address"),
        "writes_burst": _number("Write requests that a client address may send at once; more get status 429"),
        "passwords_per_second": _number("Average registrations and sign-ins per second and client address"),
        "passwords_burst": _number("Registrations and sign-ins that a client address may send at once"),
        "tls_port": {
            **_number("Port for HTTPS on the host; HTTP requests are redirected to it. Without it, there is no TLS"),
            "maximum": 65535,
        },
    },
    optional=("tls_port",),
)

CLOUD = _section(
    "Settings for terraform/ in addition to the other sections",
    {
        "name": _text("Name prefix of all AWS resources; do not change it later", "^[a-z][a-z0-9-]{0,17}[a-z0-9]$"),
        "account": _text("AWS account ID; other accounts are refused", "^[0-9]{12}$"),
        "region": _text("AWS region", "^[a-z]{2}(-[a-z]+)+-[0-9]$"),
        "state_bucket": _text(
            "S3 bucket for the Terraform state; its name must be globally unique",
            "^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$",
        ),
        "zones": {
            "description": "Letters of the availability zones",
            "type": "array",
            "items": {"type": "string", "pattern": "^[a-f]$"},
            "minItems": 2,
            "maxItems": 6,
            "uniqueItems": True,
        },
        "network": _text("CIDR block of the VPC; two sixteenths for each zone", r"^[0-9.]+/(1[6-9]|2[0-2])$"),
        "domain": _text("Domain name of the service", r"^([a-z0-9-]+\.)+[a-z]{2,}$"),
        "hosted_zone": _text("Route 53 hosted zone, to create a certificate", r"^([a-z0-9-]+\.)+[a-z]{2,}$"),
        "certificate": _text("ARN of an ACM certificate, if Route 53 does not host the domain", "^arn:aws:acm:"),
        "log_days": {
            "description": "Retention of logs in days",
            "enum": [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731],
        },
        "images_kept": _number("Number of versions kept in the registry for rollbacks", least=2),
        "secrets_version": _number("Version of the generated secrets; increment it to rotate all of them"),
        "alarm_email": _text("Email address for alarms", "^[^@ ]+@[^@ ]+$"),
        "github_repository": _text("OWNER/NAME of the repository whose workflows may deploy", "^[^/ ]+/[^/ ]+$"),
        "migration_timeout_s": _number("Timeout in seconds for a migration"),
        "deployment_timeout_s": _number("Timeout in seconds for a new version to become stable"),
        "autoscaling": _section(
            "Additional replicas under load; containers/web/replicas is the minimum",
            {
                "replicas_max": _number("Maximum number of replicas"),
                "cpu_percent": {**_number("Target CPU utilization of web in percent", least=10), "maximum": 90},
                "requests_per_minute": _number("Target requests per minute and replica"),
            },
        ),
        "database": _section(
            "RDS instance of PostgreSQL",
            {
                "instance_class": _text("RDS instance class", r"^db\.[a-z0-9]+\.[a-z0-9]+$"),
                "storage_gb": _number("Initial storage in GB", least=20),
                "storage_max_gb": _number("Maximum storage in GB for automatic growth", least=22),
                "backup_days": {**_number("Days of point-in-time recovery"), "maximum": 35},
                "standby": {"description": "Standby in another zone for failover (Multi-AZ)", "type": "boolean"},
            },
        ),
    },
    optional=("account", "hosted_zone", "certificate", "alarm_email", "github_repository"),
)
