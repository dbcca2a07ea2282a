"""The tasks: `inv --list` shows them, `inv --help NAME` explains one."""

from invoke.collection import Collection

from ops import bench, config, copies, db, dev, run, scenario, test

database = Collection.from_module(db)
for each in Collection.from_module(copies).tasks.values():
    database.add_task(each)

namespace = Collection(
    dev.dev,
    run.run,
    test.test,
    Collection.from_module(bench),
    Collection.from_module(config),
    database,
    Collection.from_module(scenario),
)
