"""Child processes that end with their parent, even if it is killed."""

import shutil


def bound(*command: str) -> list[str]:
    """Wrap the command so that it ends with its parent. Without setpriv, as on macOS, return it unchanged."""
    return ["setpriv", "--pdeathsig", "TERM", *command] if shutil.which("setpriv") else list(command)
