"""Whether Terraform can be had here, and its provider without the network."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FETCHED = ROOT / "terraform" / ".terraform" / "providers"  # by whoever has worked with terraform/
PLACES = [
    FETCHED,
    Path.home() / ".terraform.d",
    Path.home() / ".local" / "share" / "terraform",
    *map(Path, ("/opt", "/usr/local/share/terraform", "/usr/share/terraform", "/usr/local/lib", "/srv")),
]
HOST, NAME, SERIES = "registry.terraform.io", "hashicorp/aws", "5.*"


@cache
def mirror() -> Path | None:
    """The folder that `terraform init -plugin-dir` takes."""
    return next(_mirrors(), None)


@cache
def why_none() -> str | None:
    if not shutil.which("terraform"):
        return "there is no terraform on PATH"
    told = subprocess.run(["terraform", "version", "-json"], capture_output=True, text=True, check=False).stdout
    version = json.loads(told)["terraform_version"]
    if [int(part) for part in version.split("-")[0].split(".")] < [1, 11, 0]:
        return f"terraform is {version}, and terraform/ needs 1.11"
    if mirror() is None:
        return "its AWS provider is not here: terraform -chdir=terraform init -backend=false fetches it"
    return None


def _mirrors() -> Iterator[Path]:
    for place in PLACES:
        for folder in (place, *_folders(place)):
            if any((folder / HOST / NAME).glob(f"{SERIES}/*/terraform-provider-aws_*")):
                yield folder


def _folders(place: Path) -> Iterator[Path]:
    try:
        yield from (each for each in sorted(place.iterdir()) if each.is_dir())
    except OSError:
        return
