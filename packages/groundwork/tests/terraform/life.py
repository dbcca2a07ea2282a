"""Life cycle of a stack on moto: Terraform applies it, releases to it, changes it and destroys it.

It takes minutes, mostly the provider's waits between polls. Therefore it runs in a separate process in parallel with
other tests, `python -m packages.groundwork.tests.terraform.life FOLDER`, and tests read the outcome of each step. The
process ends when its standard input closes.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from groundwork.cloud import registry
from groundwork.system import paths
from groundwork.system.paths import NAME
from packages.groundwork.tests import aws
from packages.groundwork.tests.terraform import provider
from packages.groundwork.tests.terraform.stack import REPOSITORY, Outcome, Stack

LONGEST_S = 900
ONE, OTHER = f"{REPOSITORY}:1.0", f"{REPOSITORY}:2.0"
BOTH = {"migrate_image": ONE, "web_image": ONE, "protected": "false"}  # unprotected, so that it can be destroyed
DOMAIN = "example.com"
MEANT_TO_FAIL = {"plan without its image", "broken release"}


def live(folder: Path) -> None:
    with aws.served(folder / "aws.log") as account, provider.attached(account) as attached:
        aws.client(account, "route53").create_hosted_zone(Name=DOMAIN, CallerReference=DOMAIN)
        stack = Stack(folder / "work", {**account, **attached})
        stack.configure(lambda document: document["cloud"].update(github_repository="someone/shop"))
        keep = Keeper(folder)

        keep("init of bootstrap", stack.init(module="bootstrap"))
        keep("bootstrap", stack.terraform("apply", "-auto-approve", module="bootstrap"))
        keep("init", stack.init(*backend(stack)))
        keep("first apply", stack.apply(protected="false"))
        keep("first outputs", stack.terraform("output", "-json"))
        for version in ("1.0", aws.BROKEN):
            aws.push(account, NAME, version)
            aws.push(account, NAME, f"{registry.PROXY}{version}")
        keep("release", stack.apply(**BOTH))
        keep("state", stack.terraform("state", "pull"))
        keep("outputs", stack.terraform("output", "-json"))
        keep("values of the secrets", Outcome(0, json.dumps(aws.secrets(account, NAME)), 0))
        keep("second plan", stack.plan(**BOTH))
        keep("plan without its image", stack.plan(**{**BOTH, "web_image": OTHER}))
        stack.configure(lambda document: document["environment"].update(LOG_LEVEL="WARNING"))
        keep("plan of a change", stack.plan(**BOTH))
        keep("change", stack.terraform("apply", "-no-color", "plan"))
        keep("broken release", stack.apply(**{**BOTH, "web_image": f"{REPOSITORY}:{aws.BROKEN}"}))
        keep("destroy", stack.destroy(**BOTH))
        keep("what is left", stack.terraform("state", "list"))


def backend(stack: Stack) -> list[str]:
    """Return the options of `terraform init` for the state."""
    cloud = json.loads((stack.folder / "config" / "production.json").read_text("utf-8"))["cloud"]
    return [f"-backend-config=bucket={cloud['state_bucket']}", f"-backend-config=region={cloud['region']}"]


class Keeper:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, step: str, outcome: Outcome) -> None:
        """Write the outcome of a step for the waiting tests. Exit after an unexpected failure."""
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = used.ru_utime + used.ru_stime
        print(f"{step}: {outcome.code}, {outcome.seconds:.0f} s; {cpu:.0f} s of the CPU so far", flush=True)
        if outcome.code == 1:
            print(outcome.said, flush=True)
        draft = self._folder / f"{step}.draft"
        draft.write_text(outcome.text(), "utf-8")
        draft.rename(self._folder / f"{step}.json")
        if outcome.code == 1 and step not in MEANT_TO_FAIL:
            sys.exit(1)


def begin(folder: Path) -> "subprocess.Popen[bytes] | None":
    """Start the life cycle, or return None if another process has."""
    try:
        folder.mkdir()
    except FileExistsError:
        return None
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "packages.groundwork.tests.terraform.life", folder],
            cwd=paths.ROOT,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,
        )


def end(process: "subprocess.Popen[bytes]") -> None:
    """Stop the process at any step, by closing its standard input."""
    process.communicate()


def wait_for(folder: Path, step: str) -> Outcome:
    """Wait for the outcome of a step. Raise AssertionError with the log if the process ends before it, or too late."""
    made, over = folder / f"{step}.json", folder / "over"
    deadline = time.monotonic() + LONGEST_S
    while not made.exists():
        ended = over.exists() or time.monotonic() > deadline
        assert not ended or made.exists(), f"no {step}: {(folder / 'log').read_text('utf-8')[-4000:]}"
        time.sleep(0.2)
    return Outcome(**json.loads(made.read_text("utf-8")))


def _end_with_standard_input() -> None:
    os.read(0, 1)
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    threading.Thread(target=_end_with_standard_input, daemon=True).start()
    try:
        live(place)
    finally:
        (place / "over").touch()
