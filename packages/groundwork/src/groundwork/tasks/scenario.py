"""Tasks `inv scenario.…`: databases with example data, each on its own PostgreSQL server."""

import time
from collections.abc import Sequence

from invoke.context import Context
from invoke.tasks import task

from groundwork import project_commands
from groundwork.configuration.loader import Configuration
from groundwork.postgresql import database
from groundwork.scenarios import catalog, project, templates, workspace
from groundwork.scenarios import server as scenario_server
from groundwork.scenarios.server import Server
from groundwork.scenarios.templates import State
from groundwork.system import paths, ports, shell, table
from groundwork.system.errors import Exit
from groundwork.tasks import arguments

EXPLAIN = "groundwork.scenarios.explain"
NAME = "name of the scenario; inv scenario.list shows them"


@task(
    default=True,
    help={
        "name": NAME,
        "size": "size of the data, if it is not fixed; inv scenario.list shows the default",
        "seed": "seed of the random data; equal seeds give equal rows",
    },
)
def up(_: Context, name: str, size: str = "", seed: str = str(workspace.SEED)) -> None:
    """Start a database with a scenario's data.

    The first start loads the data into a template and clones it. Later starts
    keep an existing clone of the same size and seed, with its changes.

    Example: inv scenario --name orders
    """
    started = time.perf_counter()
    spec = catalog.find(name)
    rows = arguments.number("size", size) if size else None
    wanted = workspace.state(spec, rows, arguments.number("seed", seed, least=0))
    with workspace.exclusive(name) as scenario:
        action = _make_current(scenario, wanted)
        shell.say(_welcome(scenario, wanted, f"{action} in {time.perf_counter() - started:.1f} s"))


@task(name="list")
def list_all(_: Context) -> None:
    """List the scenarios and the address of running ones.

    Example: inv scenario.list
    """
    catalog.require()
    rows = [("NAME", "SIZE", "ADDRESS", "DESCRIPTION")]
    running = scenario_server.all_running()
    for spec in catalog.load_all():
        size = "" if spec.size is None else f"{spec.size:,}"
        rows.append((spec.name, size, _address(running.get(spec.name)), spec.summary))
    table.show(rows, right={1})


@task(help={"name": NAME, "all": "stop all running scenarios"})
def down(_: Context, name: str = "", all: bool = False) -> None:  # noqa: A002  the option's name
    """Stop a scenario's PostgreSQL; keep its data.

    Example: inv scenario.down --name orders
    """
    if bool(name) == all:
        raise Exit("nothing was stopped: use either --name or --all", code=1)
    if name:
        catalog.find(name)
    for server, _port in scenario_server.all_running().values():
        if all or server.name == name:
            server.stop()
            shell.say(f"stopped {server.name}")


@task(help={"name": NAME})
def reset(_: Context, name: str) -> None:
    """Reset a scenario to its freshly loaded data.

    Example: inv scenario.reset --name orders
    """
    started = time.perf_counter()
    with workspace.exclusive(name) as scenario, templates.connect(scenario.configuration) as store:
        state = store.current()
        if state not in store.states():  # inv scenario.clean drops the templates of older code
            size, seed = (state.size, state.seed) if state else (None, workspace.SEED)
            state = workspace.state(scenario.spec, size, seed)
            workspace.load(scenario, state, store)
        store.clone(state)
        shell.say(f"reset {name} to its freshly loaded data ({state}) in {time.perf_counter() - started:.1f} s")


@task(name="shell", help={"name": NAME})
def open_shell(_: Context, name: str) -> None:
    """Open psql on a scenario.

    Example: inv scenario.shell --name orders
    """
    command, password = database.psql_command(_ready(name))
    shell.serve(command, password)


@task(help={"name": NAME})
def serve(_: Context, name: str) -> None:
    """Start the development server on a scenario.

    Ctrl-C stops the server; the scenario keeps running.

    Example: inv scenario.serve --name orders
    """
    settings = _ready(name)
    with shell.interruptible():
        port = ports.claim_with_notice(int(settings["FLASK_RUN_PORT"]), "the development server")
        settings = settings.with_values("the next free port", FLASK_RUN_PORT=port)
        shell.say(f"\n  page  http://localhost:{port}\n  data  {name}\n")
        shell.serve(project_commands.serve(), settings.environment)


@task(help={"name": NAME, "command": "shell command, in quotes"}, positional=["command"])
def run(_: Context, command: str, name: str) -> None:
    """Run a command on a scenario.

    Example: inv scenario.run --name orders "flask shell"
    """
    shell.execute(command, _ready(name).environment)


@task(
    help={
        "name": NAME,
        "only": "one call and its SQL: a page or a service, as in 'GET /orders/<id:order_id>' or orders.place",
        "sizes": "compare sizes, as in 1000,10000,100000, and write a page with plots",
    }
)
def explain(_: Context, name: str, only: str = "", sizes: str = "") -> None:
    """Show plans and times of the app's queries.

    It runs the pages and services of the app on a scenario, and shows time,
    rows, pages read and the slowest plan node of each query.

    Example: inv scenario.explain --name orders --sizes 1000,10000
    """
    if only and sizes:
        raise Exit("--only and --sizes exclude each other: use one of them", code=1)
    if not sizes:
        if only:
            _show_plans(name, {0: _ready(name)}, "--with-sql", measured=["--only", only])
        else:
            _show_plans(name, {0: _ready(name)})
        return
    spec = catalog.find(name)
    wanted = [workspace.state(spec, size, workspace.SEED) for size in _sizes(sizes)]
    page = scenario_server.FOLDER / f"{name}.html"
    with workspace.exclusive(name) as scenario, templates.connect(scenario.configuration) as store:
        configurations = {}
        try:
            for state in wanted:
                workspace.load(scenario, state, store)
                store.clone(state, f"explained_{state.size}")
                configurations[state.size or 0] = scenario.configuration.with_values(
                    "the explained state", APPLICATION_DB=f"explained_{state.size}"
                )
            _show_plans(name, configurations, "--html", str(page))
        finally:
            store.drop(*(each["APPLICATION_DB"] for each in configurations.values()))
    shell.say(f"plots: {page.as_uri()}")


@task(help={"name": NAME, "sql": "SQL statement, in quotes; its changes are rolled back"}, positional=["sql"])
def query(_: Context, sql: str, name: str) -> None:
    """Show plan and time of one SQL statement.

    It runs the statement on a scenario and rolls back its changes.

    Example: inv scenario.query --name orders "SELECT count(*) FROM orders"
    """
    _show_plans(name, {0: _ready(name)}, measured=["--sql", sql])


@task
def clean(_: Context) -> None:
    """Delete scenario data that older code loaded.

    It drops templates whose scenario or migrations have changed, and the server
    of a scenario that does not exist any more.

    Example: inv scenario.clean
    """
    known = {spec.name: spec for spec in catalog.load_all()}
    for server in scenario_server.all_with_data():
        if server.name not in known:
            server.remove()
            shell.say(f"{server.name}: deleted, since {paths.display(project.FOLDER)}/ has no such scenario")
            continue
        with workspace.exclusive(server.name) as scenario, templates.connect(scenario.configuration) as store:
            for state in store.states():
                if state != workspace.state(known[server.name], state.size, state.seed):
                    store.drop(state.template)
                    shell.say(f"{server.name}: deleted {state}, since its code has changed")
            if scenario.started:
                server.stop()


def _show_plans(name: str, configurations: dict[int, Configuration], *more: str, measured: Sequence[str] = ()) -> None:
    """Measure the queries on each database, by size, and show the results."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for size, found in configurations.items():
            quiet = found.with_values("the measurement", LOG_LEVEL="WARNING")  # request logs would clutter the table
            measure = shell.python(EXPLAIN, "measure", f"{folder}/{size}.json", *measured)
            shell.serve(measure, quiet.environment)
        files = [f"{size}={folder}/{size}.json" for size in configurations]
        shell.serve(shell.python(EXPLAIN, "show", name, *files, *more), {})


def _sizes(text: str) -> list[int]:
    return sorted({arguments.number("sizes", part.strip()) for part in text.split(",")})


def _make_current(scenario: workspace.RunningScenario, wanted: State) -> str:
    """Make the working database a clone of the wanted state; return what was done."""
    with templates.connect(scenario.configuration) as store:
        if store.current() == wanted:
            return "ready with its existing data"
        is_new = workspace.load(scenario, wanted, store)
        store.clone(wanted)
    return "loaded" if is_new else "cloned"


def _ready(name: str) -> Configuration:
    """Start the scenario with its existing working database, or a new one of the default size; return its settings."""
    with workspace.exclusive(name) as scenario:
        with templates.connect(scenario.configuration) as store:
            exists = store.current() is not None
        if not exists:
            _make_current(scenario, workspace.state(scenario.spec, None, workspace.SEED))
        return scenario.configuration


def _address(running: tuple[Server, int] | None) -> str:
    if running is None:
        return ""
    with templates.connect(workspace.configuration_for(running[1])) as store:
        return f"localhost:{running[1]} ({store.current() or 'empty'})"


def _welcome(scenario: workspace.RunningScenario, state: State, action: str) -> str:
    name, settings = scenario.spec.name, scenario.configuration
    url = (
        f"postgresql://{settings['POSTGRES_USER']}:{settings['POSTGRES_PASSWORD']}"
        f"@{settings['POSTGRES_HOST']}:{settings['POSTGRES_PORT']}/{settings['APPLICATION_DB']}"
    )
    return f"""
  {name} ({state}) {action}
  psql  inv scenario.shell --name {name}
  page  inv scenario.serve --name {name}
  URL   {url}
"""
