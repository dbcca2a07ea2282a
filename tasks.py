"""The tasks: `inv --list` shows them, `inv --help NAME` explains one."""

from invoke.collection import Collection

from ops import bench, config, db, dev, prod, run, scenario, test

namespace = Collection(
    dev.dev,
    run.run,
    test.test,
    Collection.from_module(bench),
    Collection.from_module(config),
    Collection.from_module(db),
    Collection.from_module(prod),
    Collection.from_module(scenario),
)
