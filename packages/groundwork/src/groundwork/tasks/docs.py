"""Tasks `inv docs.…`: the documentation site and its generated pages."""

import sys

from invoke.context import Context
from invoke.tasks import task

from groundwork.configuration import reference_docs
from groundwork.system import paths, shell

SITE = paths.LOCAL / "site"


@task
def build(_: Context) -> None:
    """Build the documentation site.

    It writes to .local/site, and fails on a broken link.

    Example: inv docs.build
    """
    _zensical("build", "--clean", "--strict")
    shell.say(f"{paths.display(SITE)}/index.html")


@task
def serve(_: Context) -> None:
    """Preview the documentation with live reload.

    Ctrl-C stops it.

    Example: inv docs.serve
    """
    _zensical("serve")


@task
def write(_: Context) -> None:
    """Generate the reference pages from the code.

    For example docs/configuration-reference.md.

    Example: inv docs.write
    """
    for path, text in reference_docs.pages().items():
        path.write_text(text, "utf-8")
        shell.say(f"wrote {paths.display(path)}")


def _zensical(*arguments: str) -> None:
    """Run zensical in a separate environment, which the first call installs."""
    with shell.interruptible():
        shell.serve(
            [
                *("uv", "run", "--locked", "--quiet", "--only-group", "docs", "--python", sys.executable),
                *("zensical", *arguments),
            ],
            {"UV_PROJECT_ENVIRONMENT": str(paths.LOCAL / "docs")},
        )
