"""`inv doctor`: what this machine has of all that the tasks call."""

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from ops import examination, shell, table

SIGNS = {"fine": "ok", "without": "--", "broken": "!!"}


@task
def doctor(_: Context) -> None:
    """Show what is right on this machine and what is not.

    What is not comes with what to do about it.

    Example: inv doctor
    """
    findings = examination.examine()
    table.show([(SIGNS[each.state], each.what, each.found) for each in findings])
    for each in findings:
        if each.remedy:
            shell.say(f"\n{SIGNS[each.state]} {each.what}: {each.remedy}")
    if broken := [each.what for each in findings if each.state == "broken"]:
        raise Exit(f"\ndoctor: inv dev or inv test cannot run: {', '.join(broken)}", code=1)
    shell.say("\ninv dev and inv test can run; where there is --, other tasks do without, or tests are skipped")
