"""Rehearsal of pending migrations on a scenario's data, while queries run."""

import hashlib

from groundwork.migrations import git_release, revisions
from groundwork.migrations.git_release import Release
from groundwork.migrations.revisions import Revision
from groundwork.scenarios import catalog, templates, workspace
from groundwork.scenarios.templates import State, TemplateStore
from groundwork.scenarios.workspace import RunningScenario
from groundwork.system import paths, shell
from groundwork.system.errors import Exit

DATABASE = "rehearsal"
SIZE = 1_000_000


def run(name: str, size: int | None, after: str, longest_blocked_ms: int) -> None:
    """Rehearse the migrations on a clone of the scenario, drop it, and stop a server that was started here.

    Raises Exit if a migration blocks queries for too long, makes them fail, or cannot be applied.
    """
    release = git_release.last()
    pending, origin = _pending(after, release)
    start = pending[0].after if pending else ()
    if not start:
        reason = "the first migration runs on an empty database" if pending else f"there are no migrations {origin}"
        shell.say(f"nothing to rehearse: {reason}")
        return
    shell.note(f"rehearsing the migrations {origin}: {', '.join(revision.name for revision in pending)}")
    spec = catalog.find(name)
    wanted = workspace.state(spec, size or (SIZE if spec.size else None), workspace.SEED)
    with workspace.exclusive(name) as scenario, templates.connect(scenario.configuration) as store:
        since_release = release if release and git_release.migrations_since(release) == pending else None
        before = _load(scenario, store, wanted, since_release)
        try:
            store.clone(before, DATABASE)
            configuration = scenario.configuration.with_values("the rehearsal", APPLICATION_DB=DATABASE)
            shell.serve(_command(start[0], pending, longest_blocked_ms), configuration.environment)
        finally:
            with shell.uninterrupted():
                store.drop(DATABASE)
        if scenario.started:
            scenario.server.stop()


def _load(scenario: RunningScenario, store: TemplateStore, wanted: State, release: Release | None) -> State:
    """Load the scenario with the release's code, whose head is the state before the migrations.

    Without a release, or if its code fails, load with the working tree's code; the rehearsal then downgrades first.
    """
    if release:
        digest = hashlib.sha256(f"{release.commit} {scenario.spec.name} {wanted.size}".encode()).hexdigest()
        before = State(digest[:16], wanted.size, wanted.seed)
        if before in store.states():
            return before
        try:
            with git_release.exported(release) as folder:
                workspace.load(scenario, before, store, folder)
        except Exit:
            name = scenario.spec.name
            shell.note(f"{release} cannot load {name}: loading it with the current code, then downgrading")
        else:
            return before
    workspace.load(scenario, wanted, store)
    return wanted


def _command(start: str, pending: list[Revision], longest_blocked_ms: int) -> list[str]:
    names = (revision.name for revision in pending)
    options = ("--from", start, "--longest-blocked-ms", str(longest_blocked_ms))
    return shell.python("groundwork.migrations.rehearsal", *options, *names)


def _pending(after: str, release: Release | None) -> tuple[list[Revision], str]:
    """Return the migrations to rehearse and a phrase that says since when."""
    if after:
        known = revisions.load_all()
        if after not in known:
            names = ", ".join(known)
            raise Exit(f"there is no revision {after!r}: {paths.display(revisions.FOLDER)} has {names}", code=1)
        return revisions.pending({after}), f"after {after}"
    if release:
        return git_release.migrations_since(release), f"since {release}"
    reason = f"as there is neither a tag nor {git_release.TRUNK}"
    return revisions.pending(set())[-1:], f"after the second to last, {reason}"
