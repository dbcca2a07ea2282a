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


MEANT = [
    Meant("*/environment/POSTGRES_HOST", "the address of the database is RDS's to give", own=ON_AWS),
    Meant("*/environment/PGSSLMODE", "RDS takes nobody without TLS; on one machine it has a network of its own", HERE),
    Meant("migrate/environment/APP_USER", "on AWS, migrate makes the roles; on one machine, inv prod.up", HERE),
    Meant("migrate/secrets/APP_PASSWORD", "likewise", HERE),
    Meant("migrate/secrets/MASTER_*", "likewise, as the superuser, whose password RDS has made", HERE, own=ON_AWS),
    Meant("migrate/command", "likewise; on one machine it hands the static files to the proxy, too", own=("Compose",)),
    Meant("migrate/writes_to", "those files; on AWS the service serves them", own=("Compose",)),
    Meant(
        "*/user",
        "on one machine the caller, unless that is root: the secret files are theirs",
        own=("Compose",),
        always=False,
    ),
]


def meant(settings: Configuration) -> list[Meant]:
    """Those, and the settings that the configuration leaves out."""
    left_out = sorted(schema.settings("production").keys() - settings.document["environment"].keys())
    return [*MEANT, *map(_left_to_the_class, left_out)]


def _left_to_the_class(name: str) -> Meant:
    return Meant(f"*/environment/{name}", "its default in app/config.py, which inv prod.up writes out", ON_AWS)
