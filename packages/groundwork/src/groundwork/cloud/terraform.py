"""Calls of the `terraform` command in terraform/, with each error in one line."""

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from groundwork.system import paths, shell
from groundwork.system.errors import Exit

FOLDER = "terraform"
WAITS_FOR_THE_LOCK_S = 5
CALM = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
REQUIRED = re.compile(r'required_version\s*=\s*">=\s*([0-9.]+)')
NO_BUCKET = re.compile(r'S3 bucket "(.+)" does not exist')
BOOTSTRAP = f"{FOLDER}/bootstrap"
INSTALL = "install it (https://developer.hashicorp.com/terraform/install)"

Event = dict[str, Any]
Watcher = Callable[[str], None]
"""Callback for progress: the resource and the action."""


def command(*arguments: str) -> list[str]:
    return ["terraform", f"-chdir={FOLDER}", *arguments]


def variables(values: Mapping[str, str]) -> list[str]:
    return [f"-var={name}={value}" for name, value in values.items()]


def require() -> None:
    """Raise Exit if the project has no terraform/, or if the command is missing or too old for it."""
    if not (paths.ROOT / FOLDER).is_dir():
        raise Exit(f"{FOLDER}/: there is no such folder, so this project has nothing to run on AWS", code=1)
    least = _least_version()
    if not shutil.which("terraform"):
        raise Exit(f"inv cloud needs terraform {least} or newer, and there is none on PATH: {INSTALL}", code=1)
    found = json.loads(shell.read(command("version", "-json"), CALM))["terraform_version"]
    if _numbers(found) < _numbers(least):
        raise Exit(f"inv cloud needs terraform {least} or newer, found {found}: {INSTALL}", code=1)


def init(backend: Mapping[str, str]) -> None:
    """Install the locked providers and connect the configured backend, unless both are done."""
    if not _is_initialised(backend):
        told = [f"-backend-config={name}={value}" for name, value in backend.items()]
        _run(command("init", "-json", *told))


def plan(path: Path, values: Mapping[str, str], watch: Watcher, *options: str) -> list[Event]:
    """Write a plan to the file and return its changes as Terraform reports them."""
    lock = f"-lock-timeout={WAITS_FOR_THE_LOCK_S}s"
    told = _run(command("plan", "-json", f"-out={path}", lock, *options, *variables(values)), watch)
    return [event["change"] for event in told if event.get("type") == "planned_change"]


def show(path: Path) -> dict[str, Any]:
    """Return the contents of a plan file."""
    found: dict[str, Any] = json.loads(shell.read(command("show", "-json", str(path)), CALM))
    return found


def apply(path: Path, watch: Watcher) -> None:
    """Apply the plan. Raise Exit with all errors; the state has the changes made until then."""
    _run(command("apply", "-json", f"-lock-timeout={WAITS_FOR_THE_LOCK_S}s", str(path)), watch)


def outputs() -> dict[str, Any]:
    """Return the outputs by name; empty before the first apply."""
    return {name: each["value"] for name, each in json.loads(shell.read(command("output", "-json"), CALM)).items()}


def _run(told: list[str], watch: Watcher = lambda _: None) -> list[Event]:
    """Run the command and return its events. Raise Exit with all its errors."""
    events: list[Event] = []
    complaints: list[str] = []
    with shell.started_process(
        told,
        _end,
        cwd=paths.ROOT,
        env=shell.environment(CALM),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        process_group=0,  # keeps Ctrl-C from Terraform, which aborts on a second one without finishing
    ) as process:
        for line in process.stdout or ():
            event = _event(line)
            events.append(event)
            if event.get("type") == "diagnostic" and event.get("@level") == "error":
                complaints.append(complaint(event["diagnostic"]))
            elif address := event.get("hook", {}).get("resource", {}).get("addr"):
                watch(f"{address} {event['type'].removeprefix('apply_').replace('_', ' ')}")
            elif not event:
                complaints.append(line.strip())  # early errors are plain text
        process.wait()
    if process.returncode:
        said = dict.fromkeys(filter(None, complaints))
        raise Exit("\n".join(said) or f"terraform ended with {process.returncode}", code=1)
    return events


def _is_initialised(backend: Mapping[str, str]) -> bool:
    """Return whether init has run for this backend since the lock file last changed."""
    made, lock = (paths.ROOT / FOLDER / name for name in (".terraform/terraform.tfstate", ".terraform.lock.hcl"))
    if not (made.exists() and lock.exists()) or lock.stat().st_mtime > made.stat().st_mtime:
        return False
    config = json.loads(made.read_text("utf-8"))["backend"]["config"]
    return all(config.get(name) == value for name, value in backend.items())


def complaint(diagnostic: Mapping[str, Any]) -> str:
    """Return one line with place and error; for a locked state, also the owner of the lock."""
    summary, detail = diagnostic["summary"], " ".join(diagnostic.get("detail", "").split())
    if "acquiring the state lock" in summary:
        return _locked(diagnostic["detail"])
    if bucket := NO_BUCKET.search(summary):
        return (
            f"there is no bucket {bucket[1]}, in which Terraform would keep what it knows (cloud/state_bucket): "
            f"terraform -chdir={BOOTSTRAP} init && terraform -chdir={BOOTSTRAP} apply makes it"
        )
    where = diagnostic.get("address") or ""
    if not where and (place := diagnostic.get("range")):
        where = f"{FOLDER}/{place['filename']}:{place['start']['line']}"
    return ": ".join(filter(None, (where, summary, detail)))


def _locked(detail: str) -> str:
    known = dict(re.findall(r"^\s*(ID|Who|Operation|Created):\s*(.+?)\s*$", detail, re.MULTILINE))
    if "ID" not in known:
        return f"the state cannot be locked: {' '.join(detail.split())}"
    doing = known.get("Operation", "").removeprefix("OperationType").lower()
    return (
        f"{known.get('Who', 'somebody')} works on it since {known.get('Created', '?')} ({doing}): wait until that has "
        f"ended; where it was killed, terraform -chdir={FOLDER} force-unlock {known['ID']}"
    )


def _end(process: "subprocess.Popen[str]") -> None:
    """Let Terraform finish its current operation and save the state, despite further Ctrl-C."""
    with shell.uninterrupted():
        if process.poll() is None:
            shell.note("terraform finishes what it is in the middle of, keeps its state and gives the lock back …")
            process.send_signal(signal.SIGINT)
        process.communicate()


def _event(line: str) -> Event:
    try:
        event = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return event if isinstance(event, dict) else {}


def _least_version() -> str:
    for path in sorted((paths.ROOT / FOLDER).glob("*.tf")):
        if found := REQUIRED.search(path.read_text("utf-8")):
            return found[1]
    raise Exit(f"{FOLDER}/: says no required_version", code=1)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)[:3]]
