"""Local Terraform and its AWS provider, without network access."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from packages.groundwork.tests.terraform.bound import bound

ROOT = Path(__file__).parents[4]
FETCHED = ROOT / "terraform" / ".terraform" / "providers"  # by an earlier terraform init
PLACES = [
    FETCHED,
    Path.home() / ".terraform.d",
    Path.home() / ".local" / "share" / "terraform",
    *map(Path, ("/opt", "/usr/local/share/terraform", "/usr/share/terraform", "/usr/local/lib", "/srv")),
]
HOST, NAME, SERIES = "registry.terraform.io", "hashicorp/aws", "5.*"
SELDOM = {"GOGC": "400"}  # collect garbage less often, because loading the provider's schema creates much
ATTACH = re.compile(r"TF_REATTACH_PROVIDERS='(.*)'")


@cache
def mirror() -> Path | None:
    """Return the folder for `terraform init -plugin-dir`, or None."""
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


@contextmanager
def attached(account: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Run one provider for the account, and yield the environment with which Terraform commands use it.

    Otherwise each command starts and stops its own provider, which takes most of its time.
    """
    (program,) = (mirror() or ROOT).glob(f"{HOST}/{NAME}/{SERIES}/*/terraform-provider-aws_*")
    # The provider reads certificates for the first command only; moto needs none.
    environment = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}
    process = subprocess.Popen(
        bound(str(program), "-debug"), env={**environment, **account, **SELDOM},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        said = filter(None, map(ATTACH.search, process.stdout or ()))
        yield {"TF_REATTACH_PROVIDERS": next(said)[1], **SELDOM}
    finally:
        process.terminate()
        process.communicate()


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
