"""Renovate settings of the project."""

import json
import re
import subprocess
from pathlib import Path

from groundwork.system import paths, shell

RENOVATE = paths.ROOT / ".github" / "renovate.json"


def test_renovate_takes_its_configuration(tmp_path: Path) -> None:
    broken = tmp_path / "renovate.json"
    broken.write_text(RENOVATE.read_text("utf-8").replace('"minimumReleaseAge": "3 days"', '"minimumReleaseAge": 3'))

    assert check(RENOVATE) == 0
    assert check(broken) == 1


def test_it_finds_the_images_of_every_configuration_and_nothing_else() -> None:
    (manager,) = json.loads(RENOVATE.read_text("utf-8"))["customManagers"]
    (files,), (images,) = manager["managerFilePatterns"], manager["matchStrings"]
    as_python = images.replace("(?<", "(?P<")

    for path in paths.CONFIG.iterdir():
        assert re.search(files.strip("/"), f"config/{path.name}")
        found = {
            f"{each['depName']}:{each['currentValue']}" for each in re.finditer(as_python, path.read_text("utf-8"))
        }
        assert found == set(json.loads(path.read_text("utf-8")).get("images", {}).values())


def check(path: Path) -> int:
    command = shell.python("check_jsonschema", "--builtin-schema", "vendor.renovate", str(path))
    return subprocess.run(command, capture_output=True, check=False).returncode
