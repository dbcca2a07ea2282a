"""Whether Terraform can be had here, and its provider without the network."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.terraform.bound import bound

ROOT = Path(__file__).parents[2]
FETCHED = ROOT / "terraform" / ".terraform" / "providers"  # by whoever has worked with terraform/
PLACES = [
    FETCHED,
    Path.home() / ".terraform.d",
    Path.home() / ".local" / "share" / "terraform",
    *map(Path, ("/opt", "/usr/local/share/terraform", "/usr/share/terraform", "/usr/local/lib", "/srv")),
]
HOST, NAME, SERIES = "registry.terraform.io", "hashicorp/aws", "5.*"
SELDOM = {"GOGC": "400"}  # collects less garbage, of which reading what a provider has to offer makes much
ATTACH = re.compile(r"TF_REATTACH_PROVIDERS='(.*)'")


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


@contextmanager
def attached(account: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """One provider for all commands of Terraform that have what is yielded in their environment, in that account.

    Otherwise each command starts one of its own and ends it, which is most of what it costs.
    """
    (program,) = (mirror() or ROOT).glob(f"{HOST}/{NAME}/{SERIES}/*/terraform-provider-aws_*")
    # It takes certificates for the first command alone; the account that is played needs none.
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
