"""Git commands on this checkout. Use plumbing commands only, since no user configuration changes their output."""

import subprocess

from groundwork.system import paths, shell
from groundwork.system.errors import Exit


class GitError(Exception):
    """A git command failed. The message is the first line of git's error."""


def output(*arguments: str) -> str:
    """Return the standard output without surrounding white space. Raises GitError."""
    return output_bytes(*arguments).decode("utf-8", "replace").strip()


def output_bytes(*arguments: str) -> bytes:
    """Return the standard output unchanged. Raises GitError."""
    try:
        finished = subprocess.run(
            ["git", *arguments],
            cwd=paths.ROOT,
            env=shell.environment({}),
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise GitError("git is not installed") from None
    if finished.returncode:
        raise GitError(finished.stderr.decode("utf-8", "replace").strip().partition("\n")[0])
    return finished.stdout


def output_or_empty(*arguments: str) -> str:
    """Return the standard output; an empty string if git fails, is missing, or finds no repository."""
    try:
        return output(*arguments)
    except GitError:
        return ""


def require() -> None:
    """Raise Exit with git's error message if this checkout is no usable repository."""
    try:
        output("rev-parse", "--git-dir")
    except GitError as reason:
        raise Exit(f"cannot find the last release with git: {reason}", code=1) from None


def branch() -> str:
    """Return the current branch; an empty string on a detached HEAD and outside of a repository."""
    return output_or_empty("symbolic-ref", "--quiet", "HEAD").removeprefix("refs/heads/")
