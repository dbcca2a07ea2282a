"""The sections of a configuration file that the tasks read and the service does not, as JSON Schema has them."""

from typing import Any

Schema = dict[str, Any]

CERTIFICATE, KEY = "TLS_CERTIFICATE", "TLS_KEY"
SECRETS = ["MIGRATOR_PASSWORD", CERTIFICATE, KEY]
"""Those that the service itself must not have."""


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
        "cpus": _number("How many of the machine's it may use", least=0.01, kind="number"),
        "memory_mb": _number("It is killed when it takes more", least=16),
        "stop_grace_s": _number("Seconds between being told to end and being killed"),
    }
    return _section(description, {**size, **own})


def _text(description: str, pattern: str) -> Schema:
    return {"description": description, "type": "string", "pattern": pattern}


HEALTH = _section(
    "How the engine asks a replica whether it can serve; times are in seconds",
    {
        "command": {
            "description": "Run in the container, without a shell; code 0 is yes",
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "minItems": 1,
        },
        "interval_s": {**_number("Between two questions", least=5), "maximum": 300},
        "timeout_s": {**_number("An answer that takes longer is none", least=2), "maximum": 60},
        "retries": {**_number("So many times no, one after the other, and it is left out", least=2), "maximum": 10},
        "start_period_s": {**_number("From its start no answer counts for so long"), "maximum": 300},
    },
)

IMAGE: Schema = {"type": "string", "pattern": "^[^:@]+(:[0-9]+/[^:@]+)?[:@][^:@]"}

IMAGES = _section(
    "The container images that are not built here", {"postgres": IMAGE, "nginx": IMAGE}, optional=("nginx",)
)

MIGRATIONS = _section(
    "What migrations may cost those who use the service meanwhile, and who makes them",
    {
        "longest_blocked_ms": _number("How long a single query of theirs may take; `inv db.rehearse` measures it"),
        "role": {
            "description": "The database role that owns the tables, with the secret MIGRATOR_PASSWORD",
            "type": "string",
            "minLength": 1,
        },
    },
    optional=("role",),
)

CONTAINERS = _section(
    "The containers of the production stack",
    {
        "db": _container(
            "PostgreSQL",
            max_connections=_number("That it takes at the same time"),
            reserved_connections=_number("Of these, kept from the service: for migrations, backups and people"),
            slow_statement_ms=_number("A statement that takes as long is logged, with the request it was for", least=0),
        ),
        "migrate": _container("Migrates to the head before the service starts, and ends"),
        "web": _container(
            "gunicorn with the service",
            replicas=_number("How many there are"),
            user=_text("UID:GID that it runs as, and migrate", "^[1-9][0-9]*:[1-9][0-9]*$"),
            health=HEALTH,
        ),
        "proxy": _container("nginx", port={**_number("Where the machine is asked"), "maximum": 65535}),
    },
)

PROXY = _section(
    "How nginx treats clients and replicas; times are in seconds",
    {
        "workers": _number("Processes"),
        "upstream_keepalive_s": _number("An idle connection to a replica is kept so long: shorter than gunicorn does"),
        "upstream_connect_s": _number("After that another replica is tried"),
        "upstream_read_s": _number("An answer may be silent so long, then it is given up with 504"),
        "out_of_service_s": _number("A replica that fails or is drained is left out so long"),
        "client_header_s": _number("A client may take so long for the head of its request"),
        "client_body_s": _number("And be silent so long within its body"),
        "client_keepalive_s": _number("An idle connection of a client is kept so long"),
        "body_kb": _number("The largest body that is taken"),
        "writes_per_second": _number("That one address may send on average"),
        "writes_burst": _number("That it may send at once"),
        "tls_port": {
            **_number("Where the machine is asked with TLS; what asks without is sent there. None: no TLS"),
            "maximum": 65535,
        },
    },
    optional=("tls_port",),
)

CLOUD = _section(
    "What terraform/ needs to know beyond the other sections",
    {
        "name": _text("What all is called there; not to be changed later", "^[a-z][a-z0-9-]{0,17}[a-z0-9]$"),
        "account": _text("The number of the AWS account; any other is refused", "^[0-9]{12}$"),
        "region": _text("Where", "^[a-z]{2}(-[a-z]+)+-[0-9]$"),
        "state_bucket": _text(
            "Of S3, where Terraform keeps what it knows; no two in the world are called the same",
            "^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$",
        ),
        "zones": {
            "description": "The letters of the availability zones in it",
            "type": "array",
            "items": {"type": "string", "pattern": "^[a-f]$"},
            "minItems": 2,
            "maxItems": 6,
            "uniqueItems": True,
        },
        "network": _text("Its private addresses; each zone gets two sixteenths", r"^[0-9.]+/(1[6-9]|2[0-2])$"),
        "domain": _text("Where clients reach the service", r"^([a-z0-9-]+\.)+[a-z]{2,}$"),
        "hosted_zone": _text("The zone of Route 53 that the domain is in", r"^([a-z0-9-]+\.)+[a-z]{2,}$"),
        "certificate": _text("Where Route 53 has no such zone: the ARN of a certificate of ACM", "^arn:aws:acm:"),
        "log_days": {
            "description": "Logs are kept so long",
            "enum": [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731],
        },
        "images_kept": _number("In the registry, to go back to", least=2),
        "secrets_version": _number("Count it up, and every secret gets a new random value"),
        "alarm_email": _text("Who is told", "^[^@ ]+@[^@ ]+$"),
        "github_repository": _text("OWNER/NAME, whose workflows may deploy", "^[^/ ]+/[^/ ]+$"),
        "migration_timeout_s": _number("A migration that takes longer is not waited for"),
        "deployment_timeout_s": _number("Nor a new version that takes longer to become stable"),
        "autoscaling": _section(
            "More replicas than containers/web/replicas, when there is much to do",
            {
                "replicas_max": _number("So many at most"),
                "cpu_percent": {**_number("Of a replica's CPU, that it should use", least=10), "maximum": 90},
                "requests_per_minute": _number("That a replica should get"),
            },
        ),
        "database": _section(
            "The machine of PostgreSQL",
            {
                "instance_class": _text("Of RDS", r"^db\.[a-z0-9]+\.[a-z0-9]+$"),
                "storage_gb": _number("That it begins with", least=20),
                "storage_max_gb": _number("That it grows to", least=22),
                "backup_days": {**_number("To each second of which it can be put back"), "maximum": 35},
                "standby": {"description": "A copy in another zone, which takes over", "type": "boolean"},
            },
        ),
    },
    optional=("account", "hosted_zone", "certificate", "alarm_email", "github_repository"),
)
