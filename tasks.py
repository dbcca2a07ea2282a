"""Root namespace of the `inv` tasks, in the order of `inv --list`. Add, replace and remove tasks here."""

import sys

try:
    from invoke.collection import Collection

    from groundwork.system.environment import enter
except ModuleNotFoundError:
    sys.exit("tasks.py: type ./inv instead, which installs what the tasks need")

from groundwork.tasks import audit, bench, dev, docs, doctor, lint, run, scenario, test
from groundwork.tasks.cloud import infrastructure, release, status
from groundwork.tasks.config import files, parity
from groundwork.tasks.db import backup, migrations
from groundwork.tasks.prod import drill, lifecycle, operations
from groundwork.tasks.program import Program, collection

enter()  # before any task, since libpq and git read the environment of this process too
namespace = Collection(
    dev.dev,
    test.test,
    doctor.doctor,
    lint.lint,
    run.run,
    audit.audit,
    collection("db", "The database: migrations, snapshots, backups", migrations, backup),
    collection("scenario", "Scenarios: databases filled with example data", scenario),
    collection("config", "The configuration: config/*.json", files, parity),
    collection("prod", "Production on one machine: nginx, gunicorn, PostgreSQL", lifecycle, operations, drill),
    collection("cloud", "Production on AWS", release, infrastructure, status),
    collection("docs", "The documentation", docs),
    collection("bench", "Benchmarks against the usual alternatives", bench),
)

if __name__ == "__main__":
    Program(namespace).run()
