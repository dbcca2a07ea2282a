"""`inv scenario …`: a database with exactly the data you want, on a PostgreSQL of its own."""

import time
from collections.abc import Sequence

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from ops import database, options, ports, scenario_server, shell, stage, states, stories, table
from ops.configuration import Configuration
from ops.scenario_server import Server
from ops.states import State

NAME = "which one; inv scenario.list shows them"


@task(
    default=True,
    help={
        "name": NAME,
        "size": "how large, where it can be told larger or smaller",
        "seed": "another one is another set of rows, the same each time",
    },
)
def up(_: Context, name: str, size: str = "", seed: str = str(stage.SEED)) -> None:
    """Start a database with a scenario's data.

    On a PostgreSQL of its own. What was loaded once is cloned from then on.

    Example: inv scenario --name orders
    """
    begun = time.perf_counter()
    story = stories.find(name)
    wanted = stage.state(story, options.number("size", size) if size else None, options.number("seed", seed, least=0))
    with stage.at_work(name) as scenario:
        described = _make_current(scenario, wanted)
        shell.say(_welcome(scenario, wanted, f"{described} in {time.perf_counter() - begun:.1f} s"))


@task(name="list")
def list_all(_: Context) -> None:
    """List the scenarios, and which are up.

    Example: inv scenario.list
    """
    rows = [("NAME", "SIZE", "UP", "STORY")]
    running = scenario_server.all_running()
    for story in stories.every():
        size = "" if story.size is None else f"{story.size:,}"
        rows.append((story.name, size, _where(running.get(story.name)), story.line))
    table.show(rows, right={1})


@task(help={"name": NAME, "all": "all that are up"})
def down(_: Context, name: str = "", all: bool = False) -> None:  # noqa: A002  the option's name
    """End a scenario's PostgreSQL; its data stays.

    Example: inv scenario.down --name orders
    """
    if bool(name) == all:
        raise Exit("name a scenario that shall end, or --all", code=1)
    if name:
        stories.find(name)
    for server, _port in scenario_server.all_running().values():
        if all or server.name == name:
            server.stop()
            shell.say(f"{server.name} is down")


@task(help={"name": NAME})
def reset(_: Context, name: str) -> None:
    """Put a scenario back to how it was just loaded.

    Example: inv scenario.reset --name orders
    """
    begun = time.perf_counter()
    with stage.at_work(name) as scenario, states.opened(scenario.configuration) as kept:
        state = kept.current()
        if state not in kept.kept():  # inv scenario.clean has dropped it: its code is gone
            size, seed = (state.size, state.seed) if state else (None, stage.SEED)
            state = stage.state(scenario.story, size, seed)
            stage.load(scenario, state, kept)
        kept.clone(state)
        shell.say(f"{name} is as it was just after loading ({state}), in {time.perf_counter() - begun:.1f} s")


@task(name="shell", help={"name": NAME})
def open_shell(_: Context, name: str) -> None:
    """Open psql on a scenario.

    Example: inv scenario.shell --name orders
    """
    command, password = database.psql(_ready(name))
    shell.serve(command, password)


@task(help={"name": NAME})
def serve(_: Context, name: str) -> None:
    """Start the development server on a scenario.

    Ctrl-C ends it; the scenario stays up.

    Example: inv scenario.serve --name orders
    """
    settings = _ready(name)
    with shell.interruptible():
        port = ports.claim_aloud(int(settings["FLASK_RUN_PORT"]), "the development server")
        settings = settings.changed("the next free port", FLASK_RUN_PORT=port)
        shell.say(f"\n  page  http://localhost:{port}\n  data  {name}\n")
        shell.serve(shell.python("flask", "--app", "wsgi", "run"), settings.environment)


@task(help={"name": NAME, "command": "as you would type it, in quotes"}, positional=["command"])
def run(_: Context, command: str, name: str) -> None:
    """Run a command on a scenario.

    Example: inv scenario.run --name orders "flask shell"
    """
    shell.execute(command, _ready(name).environment)


@task(
    help={
        "name": NAME,
        "only": "those of a page or a service, with their SQL, as in 'GET /orders/<id:order_id>' or orders.place",
        "sizes": "several, as in 1000,10000,100000: how each query grows, and a page with plots",
    }
)
def explain(_: Context, name: str, only: str = "", sizes: str = "") -> None:
    """Show how the app's queries do on a scenario.

    It runs the app's own queries, and shows how PostgreSQL answers each.

    Example: inv scenario.explain --name orders --sizes 1000,10000
    """
    if only and sizes:
        raise Exit("--only shows one size, --sizes shows all queries: choose one of the two", code=1)
    if not sizes:
        if only:
            _show_plans(name, {0: _ready(name)}, "--with-sql", measured=["--only", only])
        else:
            _show_plans(name, {0: _ready(name)})
        return
    story = stories.find(name)
    wanted = [stage.state(story, size, stage.SEED) for size in _sizes(sizes)]
    page = scenario_server.FOLDER / f"{name}.html"
    with stage.at_work(name) as scenario, states.opened(scenario.configuration) as kept:
        places = {}
        try:
            for state in wanted:
                stage.load(scenario, state, kept)
                kept.clone(state, f"explained_{state.size}")
                places[state.size or 0] = scenario.configuration.changed(
                    "the state that is explained", APPLICATION_DB=f"explained_{state.size}"
                )
            _show_plans(name, places, "--html", str(page))
        finally:
            kept.drop(*(place["APPLICATION_DB"] for place in places.values()))
    shell.say(f"plots: {page.as_uri()}")


@task(help={"name": NAME, "sql": "a statement, in quotes; what it changes is rolled back"}, positional=["sql"])
def query(_: Context, sql: str, name: str) -> None:
    """Show how PostgreSQL answers a statement of yours.

    On a scenario; what the statement changes is rolled back.

    Example: inv scenario.query --name orders "SELECT count(*) FROM orders"
    """
    _show_plans(name, {0: _ready(name)}, measured=["--sql", sql])


@task
def clean(_: Context) -> None:
    """Delete scenarios that older code loaded.

    What was loaded by code that has changed since, or is gone.

    Example: inv scenario.clean
    """
    known = {story.name: story for story in stories.every()}
    for server in scenario_server.with_data():
        if server.name not in known:
            server.remove()
            shell.say(f"{server.name}: dropped, since scenarios/ has no such scenario")
            continue
        with stage.at_work(server.name) as scenario, states.opened(scenario.configuration) as kept:
            for state in kept.kept():
                if state != stage.state(known[server.name], state.size, state.seed):
                    kept.drop(state.template)
                    shell.say(f"{server.name}: dropped {state}, since its code has changed")
            if scenario.started:
                server.stop()


def _show_plans(name: str, places: dict[int, Configuration], *more: str, measured: Sequence[str] = ()) -> None:
    """Of the databases that the configurations lead to, by size."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for size, found in places.items():
            place = found.changed("the query lab", LOG_LEVEL="WARNING")  # a line a request would hide the table
            measure = shell.python("scenarios.lab", "measure", f"{folder}/{size}.json", *measured)
            shell.serve(measure, place.environment)
        files = [f"{size}={folder}/{size}.json" for size in places]
        shell.serve(shell.python("scenarios.lab", "show", name, *files, *more), {})


def _sizes(text: str) -> list[int]:
    return sorted({options.number("sizes", part.strip()) for part in text.split(",")})


def _make_current(scenario: stage.Scenario, wanted: State) -> str:
    """Says how."""
    with states.opened(scenario.configuration) as kept:
        if kept.current() == wanted:
            return "up, as it was left,"
        is_new = stage.load(scenario, wanted, kept)
        kept.clone(wanted)
    return "loaded and kept" if is_new else "cloned"


def _ready(name: str) -> Configuration:
    """Leads to the scenario as it was left; to a new one of the usual size where there is none yet."""
    with stage.at_work(name) as scenario:
        with states.opened(scenario.configuration) as kept:
            is_there = kept.current() is not None
        if not is_there:
            _make_current(scenario, stage.state(scenario.story, None, stage.SEED))
        return scenario.configuration


def _where(running: tuple[Server, int] | None) -> str:
    if running is None:
        return ""
    with states.opened(stage.leading_to(running[1])) as kept:
        return f"localhost:{running[1]} ({kept.current() or 'empty'})"


def _welcome(scenario: stage.Scenario, state: State, done: str) -> str:
    name, settings = scenario.story.name, scenario.configuration
    url = (
        f"postgresql://{settings['POSTGRES_USER']}:{settings['POSTGRES_PASSWORD']}"
        f"@{settings['POSTGRES_HOST']}:{settings['POSTGRES_PORT']}/{settings['APPLICATION_DB']}"
    )
    return f"""
  {name} ({state}) {done}
  psql  inv scenario.shell --name {name}
  page  inv scenario.serve --name {name}
  URL   {url}
"""
