"""Task `inv config.parity`: a comparison of the settings that Flask, Compose, Terraform and ECS use."""

from collections.abc import Callable, Sequence

from invoke.context import Context
from invoke.tasks import task

from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.parity import comparison, compose, differences, ecs, flask, terraform
from groundwork.parity.settings import Settings, Unavailable
from groundwork.system import shell, table
from groundwork.system.errors import Exit
from groundwork.system.progress import step

SOURCES: dict[str, Callable[[Configuration], Settings]] = {
    "Flask": flask.read,
    "Compose": compose.read,
    "Terraform": terraform.read,
    "ECS": ecs.read,
}
OFFLINE = ("Flask", "Compose")
"""These need neither a network nor an AWS account."""
MAX_CELL_WIDTH = 16
NULL, UNSUPPORTED = "–", ""


@task(
    help={
        "every": "also show equal settings",
        "offline": f"compare only {' and '.join(OFFLINE)}, which need no network and no AWS account, as inv lint does",
        "all_places": "fail if one of the four is not available here",
    }
)
def parity(_: Context, every: bool = False, offline: bool = False, all_places: bool = False) -> None:
    """Compare settings of Flask, Compose, Terraform, ECS.

    It fails if config/production.json leads to different settings in two of
    them, unless groundwork.parity.differences allows the difference.

    Example: inv config.parity --every
    """
    if offline and all_places:
        raise Exit("--offline and --all-places exclude each other: use one of them", code=1)
    settings = loader.load("production", environ={}, missing_secrets="show")
    sources, unavailable = _read_settings(settings, OFFLINE if offline else tuple(SOURCES))
    rows, allowed = comparison.rows(sources), differences.allowed_differences(settings)
    equal = [row for row in rows if not row.differs()]
    _show([row for row in rows if every or row.differs()], list(sources))
    for reason, addresses in comparison.allowed_by_reason(rows, allowed).items():
        shell.say(f"allowed difference: {', '.join(addresses)}: {reason}")
    for source, reason in unavailable.items():
        shell.note(f"{source} is not compared: {reason}")
    problems = list(comparison.problems(rows, allowed))
    if problems or (unavailable and all_places):
        raise Exit("\n".join(problems) or f"not available: {', '.join(unavailable)}", code=1)
    shell.say(f"{', '.join(sources)}: {len(equal)} of {len(rows)} values are equal, the others are allowed to differ")


def _read_settings(settings: Configuration, names: Sequence[str]) -> tuple[dict[str, Settings], dict[str, str]]:
    """Return the settings by source, and the reasons by unavailable source."""
    sources, unavailable = {}, {}
    with shell.interruptible():
        for name in names:
            try:
                with step(f"reading the settings of {name}"):
                    sources[name] = SOURCES[name](settings)
            except Unavailable as reason:
                unavailable[name] = str(reason)
    return sources, unavailable


def _show(rows: list[comparison.Row], sources: list[str]) -> None:
    if rows:
        table.show([("", *sources), *((row.address, *(_cell(row, source) for source in sources)) for row in rows)])


def _cell(row: comparison.Row, source: str) -> str:
    if source not in row.values:
        return UNSUPPORTED
    value = row.values[source]
    line = NULL if value is None else " ".join(value.split())
    return line if len(line) <= MAX_CELL_WIDTH else f"{line[: MAX_CELL_WIDTH - 1]}…"
