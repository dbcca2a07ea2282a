"""Task `inv doctor`: a check of the machine's prerequisites."""

from invoke.context import Context
from invoke.tasks import task

from groundwork.system import shell, table
from groundwork.system.errors import Exit
from groundwork.tasks import checks

SIGNS = {"ok": "ok", "warning": "--", "error": "!!"}


@task
def doctor(_: Context) -> None:
    """Check the requirements of the tasks on this machine.

    For each problem it shows what to do.

    Example: inv doctor
    """
    findings = checks.run_all()
    table.show([(SIGNS[each.state], each.subject, each.detail) for each in findings])
    for each in findings:
        if each.remedy:
            shell.say(f"\n{SIGNS[each.state]} {each.subject}: {each.remedy}")
    if errors := [each.subject for each in findings if each.state == "error"]:
        raise Exit(f"\ndoctor: inv dev or inv test cannot run: {', '.join(errors)}", code=1)
    shell.say("\ninv dev and inv test can run; without what is marked --, some tasks fail and some tests are skipped")
