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
        "web": _container("gunicorn with the service", replicas=_number("How many there are")),
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
