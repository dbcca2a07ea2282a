"""`inv docs.…`: the documentation as a site, and the pages of it that are made from what they describe."""

import sys

from invoke.context import Context
from invoke.tasks import task

from ops import described, project, shell

SITE = project.LOCAL / "site"


@task
def build(_: Context) -> None:
    """Build the site into .local/site; fail where a link leads nowhere."""
    _zensical("build", "--clean", "--strict")
    shell.say(f"{project.shown(SITE)}/index.html")


@task
def serve(_: Context) -> None:
    """Show the site while you write; Ctrl-C ends it."""
    _zensical("serve")


@task
def write(_: Context) -> None:
    """Write anew the pages that are made from what they describe, such as the configuration's reference."""
    for path, text in described.pages().items():
        path.write_text(text, "utf-8")
        shell.say(f"wrote {project.shown(path)}")


def _zensical(*arguments: str) -> None:
    """In an environment of its own, since nothing else needs it; made on first use."""
    with shell.interruptible():
        shell.serve(
            [
                *("uv", "run", "--locked", "--quiet", "--only-group", "docs", "--python", sys.executable),
                *("zensical", *arguments),
            ],
            {"UV_PROJECT_ENVIRONMENT": str(project.LOCAL / "docs")},
        )
