"""Programs that end with the process that has started them, even where that is killed."""

import shutil


def bound(*command: str) -> list[str]:
    """To be started in their place. Where there is no setpriv, as on macOS, they end only with what ends them."""
    return ["setpriv", "--pdeathsig", "TERM", *command] if shutil.which("setpriv") else list(command)
