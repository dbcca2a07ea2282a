"""Option for our contenders: data on disk, as on a machine without a tmpfs."""

import tempfile
from pathlib import Path

from groundwork.testing import embedded

embedded.memory = lambda: Path(tempfile.gettempdir())
