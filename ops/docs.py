"""`inv docs.…`: the documentation as a site, and the pages of it that are made from what they describe."""

import sys

from invoke.context import Context
from invoke.tasks import task

from ops import described, project, shell

SITE = project.LOCAL / "site"


@task
def build(_: Context) -> None:
    """Build the documentation as a site.

    Into .local/site; it fails where a link leads nowhere.

    Example: inv docs.build
    """
    _zensical("build", "--clean", "--strict")
    shell.say(f"{project.shown(SITE)}/index.html")


@task
def serve(_: Context) -> None:
    """Show the documentation while you write it.

    Ctrl-C ends it.

    Example: inv docs.serve
    """
    _zensical("serve")


@task
def write(_: Context) -> None:
    """Write the pages anew that are made from the code.

    Such as the configuration's reference.

    Example: inv docs.write
    """
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
