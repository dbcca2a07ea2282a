"""`inv config.parity`: one configuration, and what each place that runs the service makes of it."""

from collections.abc import Callable, Sequence

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from ops import configuration, shell, table
from ops.configuration import Configuration
from ops.parity import comparison, compose, differences, ecs, flask, terraform
from ops.parity.facts import Facts, NotToBeHad
from ops.progress import step

PLACES: dict[str, Callable[[Configuration], Facts]] = {
    "Flask": flask.facts,
    "Compose": compose.facts,
    "Terraform": terraform.facts,
    "ECS": ecs.facts,
}
OFFLINE = ("Flask", "Compose")
"""Which need no network and nobody's account."""
WIDEST = 16
NONE, CANNOT = "–", ""


@task(
    help={
        "every": "show what is the same, too",
        "offline": f"ask only {' and '.join(OFFLINE)}, which need no network and no account: as inv lint does",
        "all_places": "fail where one of them cannot be asked here",
    }
)
def parity(_: Context, every: bool = False, offline: bool = False, all_places: bool = False) -> None:
    """Fail where two places read the settings differently.

    It compares what Flask, Compose, Terraform and ECS make of
    config/production.json.

    Example: inv config.parity --every
    """
    if offline and all_places:
        raise Exit("--offline and --all-places: choose one", code=1)
    settings = configuration.load("production", environ={}, missing_secrets="show")
    places, absent = _ask(settings, OFFLINE if offline else tuple(PLACES))
    found, meant = comparison.rows(places), differences.meant(settings)
    same = [row for row in found if not row.differs()]
    _show([row for row in found if every or row.differs()], list(places))
    for reason, addresses in comparison.excused(found, meant).items():
        shell.say(f"meant to differ: {', '.join(addresses)}: {reason}")
    for place, reason in absent.items():
        shell.note(f"{place} is not compared: {reason}")
    problems = list(comparison.problems(found, meant))
    if problems or (absent and all_places):
        raise Exit("\n".join(problems) or f"could not ask {' and '.join(absent)}", code=1)
    shell.say(f"{', '.join(places)}: the same in {len(same)} of {len(found)} values, and else as it is meant")


def _ask(settings: Configuration, wanted: Sequence[str]) -> tuple[dict[str, Facts], dict[str, str]]:
    """What each says, and why others say nothing."""
    places, absent = {}, {}
    with shell.interruptible():
        for place in wanted:
            try:
                with step(f"asking {place}"):
                    places[place] = PLACES[place](settings)
            except NotToBeHad as reason:
                absent[place] = str(reason)
    return places, absent


def _show(found: list[comparison.Row], places: list[str]) -> None:
    if found:
        table.show([("", *places), *((row.address, *(_cell(row, place) for place in places)) for row in found)])


def _cell(row: comparison.Row, place: str) -> str:
    if place not in row.values:
        return CANNOT
    value = row.values[place]
    line = NONE if value is None else " ".join(value.split())
    return line if len(line) <= WIDEST else f"{line[: WIDEST - 1]}…"
