"""Copy of terraform/ and its configuration, and the outcome of Terraform commands on it."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from groundwork.system import paths, shell
from packages.groundwork.tests.aws import ACCOUNT, REGION, Environment
from packages.groundwork.tests.terraform import provider

NAME = paths.NAME
REPOSITORY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{NAME}"
AT_ONCE = 40  # parallel operations, because they mostly wait
CALM = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": "/dev/null"}
Document = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    code: int
    said: str
    seconds: float
    plan: Document = field(default_factory=dict)
    """Plan in the format of `terraform show -json`, if there is one."""

    @property
    def changes(self) -> dict[str, list[str]]:
        """Planned actions by resource address, without no-ops and reads."""
        changed = ((each["address"], each["change"]["actions"]) for each in self.plan.get("resource_changes", []))
        return {address: actions for address, actions in changed if actions not in (["no-op"], ["read"])}

    def planned(self, address: str) -> Document:
        """Return the planned attributes of the resource."""
        found: Document = next(each for each in self.plan["resource_changes"] if each["address"] == address)
        return found["change"]["after"]  # type: ignore[no-any-return]

    def text(self) -> str:
        return json.dumps(asdict(self))


class Stack:
    def __init__(self, folder: Path, environment: Environment) -> None:
        self.folder, self._environment = folder, environment
        ignored = shutil.ignore_patterns(".terraform", "*.tfstate*")
        shutil.copytree(paths.ROOT / "terraform", folder / "terraform", ignore=ignored)
        shutil.copytree(paths.CONFIG, folder / "config")

    def configure(self, change: Callable[[Document], object]) -> None:
        path = self.folder / "config" / "production.json"
        document = json.loads(path.read_text("utf-8"))
        change(document)
        path.write_text(json.dumps(document), "utf-8")

    def init(self, *options: str, module: str = ".") -> Outcome:
        return self.terraform("init", "-no-color", f"-plugin-dir={provider.mirror()}", *options, module=module)

    def plan(self, **variables: str) -> Outcome:
        """Make a plan. The code is 0 without changes, 2 with changes, 1 on errors."""
        ended = self.terraform("plan", "-detailed-exitcode", "-out=plan", *_given(variables))
        if ended.code != 2:
            return ended
        plan = json.loads(self.terraform("show", "-json", "plan").said)
        return Outcome(ended.code, ended.said, ended.seconds, plan)

    def apply(self, **variables: str) -> Outcome:
        return self.terraform("apply", "-auto-approve", *_given(variables))

    def destroy(self, **variables: str) -> Outcome:
        return self.terraform("destroy", "-auto-approve", *_given(variables))

    def terraform(self, *arguments: str, module: str = ".") -> Outcome:
        began = time.monotonic()
        ended = subprocess.run(
            ["terraform", f"-chdir={self.folder / 'terraform' / module}", *arguments],
            env=shell.environment({**CALM, **self._environment}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Outcome(ended.returncode, ended.stdout, time.monotonic() - began)


def _given(variables: dict[str, str]) -> list[str]:
    return ["-no-color", f"-parallelism={AT_ONCE}", *(f"-var={name}={value}" for name, value in variables.items())]
