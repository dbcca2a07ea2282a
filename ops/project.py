"""Where this checkout keeps its things, and the name by which the Docker Engine knows it."""

from pathlib import Path

NAME = "groundwork"  # as pyproject.toml has it, which nothing here has the time to read
ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "config"
LOCAL = ROOT / ".local"  # what git does not keep: secrets, the embedded server's data, logs


def compose_project() -> str:
    """A name of its own for every checkout, so that two of them never share a container or a volume."""
    import hashlib

    return f"{NAME}-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]}"


def shown(path: Path) -> str:
    """The path as a reader of this checkout would write it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
