"""`./inv` in a folder, with only the programs that the folder has on its PATH."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

TOOLS = ["awk", "cat", "chmod", "cmp", "cp", "dirname", "mkdir", "rm", "touch"]
UV = """#!/bin/sh
echo "$@" >>"{calls}"
mkdir -p "$UV_PROJECT_ENVIRONMENT/bin"
printf '#!/bin/sh\\necho "$@"; exit 7\\n' >"$UV_PROJECT_ENVIRONMENT/bin/python"
chmod +x "$UV_PROJECT_ENVIRONMENT/bin/python"
"""


def inv(
    folder: Path, *arguments: str, cwd: Path | None = None, variables: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [folder / "inv", *arguments],
        cwd=cwd or folder,
        env={"PATH": str(folder / "path"), **(variables or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def command(folder: Path, name: str, script: str) -> None:
    path = folder / "path" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
