"""Migrations tried on a scenario's data, with queries running, before they meet production's."""

import hashlib

from invoke.exceptions import Exit

from ops import migrations, project, release, shell, stage, states, stories
from ops.migrations import Revision
from ops.release import Release
from ops.stage import Scenario
from ops.states import State, States

DATABASE = "rehearsal"
SIZE = 1_000_000


def run(name: str, size: int | None, after: str, longest_blocked_ms: int) -> None:
    """On a clone of the scenario, which is dropped; a server that was started for it is ended.

    Raises Exit where a migration costs too much, breaks the queries, or does not apply.
    """
    released = release.last()
    pending, where = _pending(after, released)
    start = pending[0].after if pending else ()
    if not start:
        reason = "the first migration meets no data" if pending else f"there are no migrations {where}"
        shell.say(f"nothing to rehearse: {reason}")
        return
    shell.note(f"the migrations {where}: {', '.join(revision.name for revision in pending)}")
    story = stories.find(name)
    wanted = stage.state(story, size or (SIZE if story.size else None), stage.SEED)
    with stage.at_work(name) as scenario, states.opened(scenario.configuration) as kept:
        since_release = released if released and release.migrations_since(released) == pending else None
        before = _load(scenario, kept, wanted, since_release)
        try:
            kept.clone(before, DATABASE)
            place = scenario.configuration.changed("the rehearsal", APPLICATION_DB=DATABASE)
            shell.serve(_command(start[0], pending, longest_blocked_ms), place.environment)
        finally:
            with shell.uninterrupted():
                kept.drop(DATABASE)
        if scenario.started:
            scenario.server.stop()


def _load(scenario: Scenario, kept: States, wanted: State, released: Release | None) -> State:
    """What is there before the migrations: by the code of the release, for which that is the head.

    Where there is none, or it cannot, by ours at our head, from where the rehearsal has to go back.
    """
    if released:
        made_from = hashlib.sha256(f"{released.commit} {scenario.story.name} {wanted.size}".encode()).hexdigest()
        before = State(made_from[:16], wanted.size, wanted.seed)
        if before in kept.kept():
            return before
        try:
            with release.exported(released) as folder:
                stage.load(scenario, before, kept, folder)
        except Exit:
            shell.note(f"{released} cannot load {scenario.story.name}: it is loaded at the head, and downgraded")
        else:
            return before
    stage.load(scenario, wanted, kept)
    return wanted


def _command(start: str, pending: list[Revision], longest_blocked_ms: int) -> list[str]:
    names = (revision.name for revision in pending)
    return shell.python("scenarios.rehearsal", "--from", start, "--longest-blocked-ms", str(longest_blocked_ms), *names)


def _pending(after: str, released: Release | None) -> tuple[list[Revision], str]:
    """With where they begin."""
    if after:
        known = migrations.every()
        if after not in known:
            names = ", ".join(known)
            raise Exit(f"there is no revision {after!r}: {project.shown(migrations.FOLDER)} has {names}", code=1)
        return migrations.pending({after}), f"after {after}"
    if released:
        return release.migrations_since(released), f"since {released}"
    return migrations.pending(set())[-1:], f"after the last but one, since there is neither a tag nor {release.TRUNK}"
