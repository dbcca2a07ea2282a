"""The tasks: `inv --list` shows them in this order, `inv --help NAME` explains one."""

import sys
from types import ModuleType

try:
    from invoke.collection import Collection
except ModuleNotFoundError:
    sys.exit("tasks.py: type ./inv instead, which installs what the tasks need")

from ops import audit, bench, config, copies, db, dev, docs, doctor, lint, operations, prod, run, scenario, test
from ops.cloud import command, look
from ops.cloud import release as cloud
from ops.drill import command as drill
from ops.environment import enter
from ops.parity import command as parity
from ops.program import Program


def collection(name: str, purpose: str, *modules: ModuleType) -> Collection:
    """Of the tasks of several modules."""
    made = Collection(name, *[each for module in modules for each in Collection.from_module(module).tasks.values()])
    made.__doc__ = purpose
    return made


enter()  # first of all, since libpq and git read the environment of this process too
namespace = Collection(
    dev.dev,
    test.test,
    doctor.doctor,
    lint.lint,
    run.run,
    audit.audit,
    collection("db", "The database: migrations, snapshots, backups", db, copies),
    collection("scenario", "Databases with exactly the data you want", scenario),
    collection("config", "The settings: config/*.json", config, parity),
    collection("prod", "Production on one machine: nginx, gunicorn, PostgreSQL", prod, operations, drill),
    collection("cloud", "Production on AWS", cloud, command, look),
    collection("docs", "The documentation", docs),
    collection("bench", "Benchmarks: this beside the usual ways", bench),
)

if __name__ == "__main__":
    Program(namespace).run()
