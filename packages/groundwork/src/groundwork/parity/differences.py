"""Intended differences between the sources, each with its reason. Any other difference is an error."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from groundwork.configuration import schema
from groundwork.configuration.loader import Configuration

ON_ONE_MACHINE, ON_AWS = ("Flask", "Compose"), ("Terraform", "ECS")


@dataclass(frozen=True)
class AllowedDifference:
    pattern: str
    """Matches addresses, as fnmatch does."""
    reason: str
    may_lack: tuple[str, ...] = ()
    """Sources that may lack the setting."""
    must_differ: tuple[str, ...] = ()
    """Sources that must have the setting, with a different value."""
    required: bool = True
    """Whether the entry is an error if nothing differs."""

    def matches(self, address: str) -> bool:
        return fnmatchcase(address, self.pattern)


ROLES_REASON = "on AWS, migrate creates the database roles; on one machine inv prod.up does, through the socket"
ALLOWED = [
    AllowedDifference("*/environment/POSTGRES_HOST", "RDS assigns the address of the database", must_differ=ON_AWS),
    AllowedDifference("*/environment/PGSSLMODE", "RDS requires TLS; a stack has a private network", ON_ONE_MACHINE),
    AllowedDifference("migrate/environment/APP_USER", ROLES_REASON, ON_ONE_MACHINE),
    AllowedDifference("migrate/secrets/APP_PASSWORD", ROLES_REASON, ON_ONE_MACHINE),
    AllowedDifference("migrate/secrets/MASTER_*", ROLES_REASON, ON_ONE_MACHINE, must_differ=ON_AWS),
    AllowedDifference(
        "web/health/path",
        "ECS replaces a replica that fails its check, so it checks liveness, without the database; Compose waits for "
        "readiness",
        must_differ=ON_AWS,
    ),
    AllowedDifference(
        "migrate/command",
        "on AWS, it creates the roles first; on one machine, it copies the static files for nginx afterwards",
        must_differ=("Compose",),
    ),
    AllowedDifference("migrate/writes_to", "on one machine, static files for nginx", must_differ=("Compose",)),
    AllowedDifference(
        "proxy/environment/PROXY_CONFIGURATION",
        "on AWS, the image of nginx has its files; Compose mounts them, and replaces nginx if they change",
        may_lack=ON_AWS,
    ),
    AllowedDifference(
        "proxy/environment/PROXY_[USB]*",
        "on AWS, nginx has gunicorn in its own task, and a load balancer in front that ends TLS",
        may_lack=("Compose",),
        required=False,
    ),
    AllowedDifference(
        "*/user",
        "on one machine, the caller, who owns the secret files; the configured user if the caller is root",
        must_differ=("Compose",),
        required=False,
    ),
]


def allowed_differences(configuration: Configuration) -> list[AllowedDifference]:
    """Return ALLOWED and an entry for each setting that the configuration omits."""
    omitted = sorted(schema.settings("production").keys() - configuration.document["environment"].keys())
    return [*ALLOWED, *map(_class_default, omitted)]


def _class_default(name: str) -> AllowedDifference:
    reason = "has its default from app/config.py, which inv prod.up writes into the environment"
    return AllowedDifference(f"*/environment/{name}", reason, ON_AWS)
