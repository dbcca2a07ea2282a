"""Templates with a scenario in them, for the tests that are marked with one: made by the worker that asks first."""

from ops import stage, stories
from scenarios.loading import telling
from tests import clones, template
from tests.service import Database


def name(environment: dict[str, str], story: str, size: int | None = None, seed: int = stage.SEED) -> str:
    """Of a database to clone."""
    state = stage.state(stories.find(story), size, seed)
    name = f"scenario_{state.fingerprint}"
    making = f"{name}_in_the_making"
    with clones.connect(environment) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])  # until the connection is closed
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            clones.drop(environment, making)  # of a run that was killed
            clones.create(environment, making, template.NAME)
            telling.tell(Database({**environment, "APPLICATION_DB": making}).url, story, state.size, seed)
            connection.execute(f"ALTER DATABASE {making} RENAME TO {name}")
    return name
