"""The tasks: `inv --list` shows them, `inv --help NAME` explains one."""

from types import ModuleType

from invoke.collection import Collection

from ops import audit, bench, config, copies, db, dev, docs, doctor, lint, operations, prod, run, scenario, test
from ops.cloud import look
from ops.cloud import release as cloud
from ops.drill import command as drill
from ops.parity import command as parity


def collection(name: str, *modules: ModuleType) -> Collection:
    """Of the tasks of several modules."""
    return Collection(name, *[each for module in modules for each in Collection.from_module(module).tasks.values()])


namespace = Collection(
    audit.audit,
    dev.dev,
    doctor.doctor,
    lint.lint,
    run.run,
    test.test,
    Collection.from_module(bench),
    collection("cloud", cloud, look),
    collection("config", config, parity),
    collection("db", db, copies),
    Collection.from_module(docs),
    collection("prod", prod, operations, drill),
    Collection.from_module(scenario),
)
