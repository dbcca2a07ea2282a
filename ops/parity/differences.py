"""The differences that are meant, each with its reason. Whatever else differs is a mistake."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from ops import schema
from ops.configuration import Configuration

HERE, ON_AWS = ("Flask", "Compose"), ("Terraform", "ECS")


@dataclass(frozen=True)
class Meant:
    address: str
    """What fnmatch takes for one."""
    reason: str
    without: tuple[str, ...] = ()
    """Places that need not have it."""
    own: tuple[str, ...] = ()
    """Places that must have it, with a value of their own."""
    always: bool = True
    """Where it is found no more, it is to be taken out of here."""

    def is_about(self, address: str) -> bool:
        return fnmatchcase(address, self.address)


MAKES_ROLES = "on AWS, migrate makes the database's roles; on one machine inv prod.up does, by its socket"
MEANT = [
    Meant("*/environment/POSTGRES_HOST", "the address of the database is RDS's to give", own=ON_AWS),
    Meant("*/environment/PGSSLMODE", "RDS takes nobody without TLS; on one machine it has a network of its own", HERE),
    Meant("migrate/environment/APP_USER", MAKES_ROLES, HERE),
    Meant("migrate/secrets/APP_PASSWORD", MAKES_ROLES, HERE),
    Meant("migrate/secrets/MASTER_*", MAKES_ROLES, HERE, own=ON_AWS),
    Meant(
        "migrate/command",
        "on AWS, the roles first; on one machine, the static files after, for nginx",
        own=("Compose",),
    ),
    Meant("migrate/writes_to", "on one machine, where nginx finds the static files", own=("Compose",)),
    Meant(
        "*/user",
        "on one machine the caller, whose the secret files are, unless that is root",
        own=("Compose",),
        always=False,
    ),
]


def meant(settings: Configuration) -> list[Meant]:
    """Those, and the settings that the configuration leaves out."""
    left_out = sorted(schema.settings("production").keys() - settings.document["environment"].keys())
    return [*MEANT, *map(_left_to_the_class, left_out)]


def _left_to_the_class(name: str) -> Meant:
    return Meant(f"*/environment/{name}", "left to its default in app/config.py, which inv prod.up writes out", ON_AWS)
