"""Questions to git about this checkout, by plumbing commands: no configuration of the user's changes their output."""

import subprocess

from invoke.exceptions import Exit

from ops import project, shell


class NoAnswer(Exception):
    """Holds what git said."""


def ask(*arguments: str) -> str:
    """Return the answer without white space around it. Raises NoAnswer."""
    return read(*arguments).decode("utf-8", "replace").strip()


def read(*arguments: str) -> bytes:
    """Return the answer as it is. Raises NoAnswer."""
    try:
        answered = subprocess.run(
            ["git", *arguments],
            cwd=project.ROOT,
            env=shell.environment({}),
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise NoAnswer("git is not installed") from None
    if answered.returncode:
        raise NoAnswer(answered.stderr.decode("utf-8", "replace").strip().partition("\n")[0])
    return answered.stdout


def find(*arguments: str) -> str:
    """Return the answer, or an empty text if there is none, no repository, or no git."""
    try:
        return ask(*arguments)
    except NoAnswer:
        return ""


def require() -> None:
    """Raise Exit with git's words if it cannot be asked about this checkout."""
    try:
        ask("rev-parse", "--git-dir")
    except NoAnswer as reason:
        raise Exit(f"git cannot be asked for the last release: {reason}", code=1) from None


def branch() -> str:
    """Return the branch; an empty text between branches and outside of a repository."""
    return find("symbolic-ref", "--quiet", "HEAD").removeprefix("refs/heads/")
