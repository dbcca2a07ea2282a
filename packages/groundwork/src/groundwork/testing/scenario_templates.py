"""Template databases with a scenario, for marked tests. The first worker that needs one creates it."""

from groundwork.configuration.loader import with_database
from groundwork.scenarios import catalog, workspace
from groundwork.scenarios.loading import loader
from groundwork.testing import database_pool, template
from groundwork.testing.service import Database


def name(environment: dict[str, str], story: str, size: int | None = None, seed: int = workspace.SEED) -> str:
    """Return the name of a database with the scenario, to be cloned. Create it if it is missing."""
    state = workspace.state(catalog.find(story), size, seed)
    name = f"scenario_{state.fingerprint}"
    making = f"{name}_in_the_making"
    with database_pool.connect(environment) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])  # held until the connection closes
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            database_pool.drop(environment, making)  # left by a killed run
            database_pool.create(environment, making, template.NAME)
            loader.load(Database(with_database(environment, making)).url, story, state.size, seed)
            connection.execute(f"ALTER DATABASE {making} RENAME TO {name}")
    return name
