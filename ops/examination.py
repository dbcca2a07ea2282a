"""What `inv doctor` looks at: each thing by itself, all at once, none for longer than some seconds."""

import os
import platform
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from invoke.exceptions import Exit

from ops import browser, configuration, engine, ports, postgres, project

SECONDS = 5
NEEDED_GB = 1.0
"""For .venv, a development database and the images: .venv alone is half of it."""
OLDEST_COMPOSE = (2, 24, 4)
"""Which knows `!override`, as benchmarks and the production stack with TLS use it."""
ARCHITECTURES = {"x86_64", "amd64", "arm64", "aarch64"}
REGISTRY = ("registry-1.docker.io", 443)

State = Literal["fine", "without", "broken"]


@dataclass(frozen=True)
class Finding:
    """`without` is something that only some tasks want; `broken` is what keeps `inv dev` or `inv test` from running."""

    what: str
    state: State
    found: str
    remedy: str = ""


def examine() -> list[Finding]:
    """In the order in which they are to be read; the engine's and PostgreSQL's, which hang together, by one hand."""
    checks: list[Callable[[], list[Finding]]] = [
        lambda: [python(), architecture(), uv(), git()],
        lambda: [configured(), *listening()],
        lambda: [disk(), owned()],
        databases,
        lambda: [terraform(), pages()],
    ]
    with ThreadPoolExecutor(len(checks)) as pool:
        return [finding for found in pool.map(lambda check: check(), checks) for finding in found]


def python() -> Finding:
    return Finding("Python", "fine", f"{platform.python_version()}, {project.shown(Path(sys.executable))}")


def architecture() -> Finding:
    machine = platform.machine()
    if machine.lower() in ARCHITECTURES:
        return Finding("architecture", "fine", f"{platform.system()} on {machine}")
    return Finding("architecture", "without", machine, "not every package has a wheel for it: have a compiler at hand")


def uv() -> Finding:
    said = answer("uv", "--version") or answer(str(Path(sys.executable).with_name("uv")), "--version")
    return Finding("uv", "fine", said) if said else Finding("uv", "without", "none", "./inv installs it into .venv")


def git() -> Finding:
    if said := answer("git", "--version"):
        return Finding("git", "fine", said.removeprefix("git version "))
    return Finding("git", "broken", "none", "install it: tests and releases ask it for files and versions")


def configured() -> Finding:
    try:
        problems = configuration.find_problems()
    except Exit as refused:
        problems = [str(refused)]
    if not problems:
        return Finding("configuration", "fine", ", ".join(configuration.names()))
    return Finding(
        "configuration", "broken", f"{len(problems)} problems", "inv config.check shows each, with its place"
    )


def listening() -> Iterator[Finding]:
    try:
        loaded = configuration.load("development", missing_secrets="show")
    except Exit:
        return
    for name in ("POSTGRES_PORT", "FLASK_RUN_PORT"):
        port = int(loaded[name])
        what = f"port {port}"
        if ports.is_taken(port):
            remedy = f"nothing, if that is your own inv dev; else inv dev takes the next, or the one in {name}"
            yield Finding(what, "without", "something listens there", remedy)
        else:
            yield Finding(what, "fine", "free")


def disk() -> Finding:
    free = shutil.disk_usage(project.ROOT).free / 1e9
    if free >= NEEDED_GB:
        return Finding("disk", "fine", f"{free:.0f} GB free")
    return Finding("disk", "broken", f"{free:.1f} GB free", f"make room: {NEEDED_GB:.0f} GB are needed")


def owned() -> Finding:
    """Files of other users come from containers and from `sudo`; a task that cannot write one ends half-way.

    The caller's own read-only files are no fault: programs make them so on purpose.
    """
    if not os.access(project.ROOT, os.W_OK):
        remedy = "clone the project into a folder that you can write to"
        return Finding("files", "broken", f"{project.ROOT} is read-only", remedy)
    locked = [path for path in _files() if _is_locked_by_another_user(path)]
    if not locked:
        return Finding("files", "fine", "none belongs to another user")
    several = f" and {len(locked) - 1} more" if len(locked) > 1 else ""
    found = f"another user's, and read-only for you: {project.shown(locked[0])}{several}"
    return Finding("files", "broken", found, f"sudo chown -R $USER {project.ROOT}")


def databases() -> list[Finding]:
    """Either kind of PostgreSQL is enough."""
    embedded, reachable = _embedded(), registry()
    reason = engine.why_impossible()
    server = answer("docker", "version", "--format", "{{.Server.Version}}") if reason is None else ""
    if not server:
        remedy = "start one, or install it: the production stack and its tests need it"
        return [Finding("Docker Engine", "without", reason or "none answers", remedy), embedded, reachable]
    compose = _compose(answer("docker", "compose", "version", "--short"))
    image = _image()
    if compose.state == "fine" and "fine" in (image.state, reachable.state):
        embedded = replace(embedded, state="without" if embedded.remedy else "fine")
    return [Finding("Docker Engine", "fine", server), compose, image, embedded, reachable]


def registry() -> Finding:
    host, port = REGISTRY
    try:
        socket.create_connection((host, port), timeout=SECONDS).close()
    except OSError as failed:
        why = failed.strerror or str(failed)
        return Finding(
            "image registry", "without", f"{host}: {why}", "no image can be pulled: .ci/engine/up makes them"
        )
    return Finding("image registry", "fine", host)


def terraform() -> Finding:
    said = answer("terraform", "version").partition("\n")[0]
    if said:
        return Finding("Terraform", "fine", said.removeprefix("Terraform "))
    return Finding(
        "Terraform", "without", "none", "install it for AWS: https://developer.hashicorp.com/terraform/install"
    )


def pages() -> Finding:
    found = browser.program()
    if found:
        return Finding("browser", "fine", found)
    return Finding("browser", "without", "none", f"tests in a browser are skipped: {browser.WHERE}")


def answer(*command: str) -> str:
    """What it prints; empty where it is not there, fails, or is silent for too long."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _compose(version: str) -> Finding:
    oldest = ".".join(map(str, OLDEST_COMPOSE))
    numbers: Any = tuple(map(int, re.findall(r"\d+", version)[:3]))
    if numbers >= OLDEST_COMPOSE:
        return Finding("Compose", "fine", version)
    return Finding("Compose", "without", version or "none", f"install the plugin docker-compose, {oldest} or newer")


def _image() -> Finding:
    try:
        name = configuration.load("development", missing_secrets="show").images["postgres"]
    except Exit:
        return Finding("image", "without", "the configuration names none", "inv config.check")
    if answer("docker", "image", "inspect", "--format", "{{.Id}}", name):
        return Finding(f"image {name}", "fine", "there")
    return Finding(f"image {name}", "without", "not pulled yet", f"inv dev does so: docker pull {name}")


def _embedded() -> Finding:
    try:
        said = answer(str(postgres.binary("postgres")), "--version")
    except Exit as refused:
        said, why = "", str(refused)
    else:
        why = "its programs do not run here"
    if said:
        return Finding("embedded PostgreSQL", "fine", said.rpartition(" ")[2])
    return Finding("embedded PostgreSQL", "broken", why, "have a Docker Engine in its place")


def _is_locked_by_another_user(path: Path) -> bool:
    try:
        is_foreign = path.lstat().st_uid != os.geteuid() if hasattr(os, "geteuid") else False
    except FileNotFoundError:  # a task that runs meanwhile has deleted it
        return False
    return is_foreign and not os.access(path, os.W_OK, follow_symlinks=False)


def _files() -> Iterator[Path]:
    """Folders too; nothing in .git and .venv, which git and uv write, and in databases, which their servers write."""
    for folder, folders, names in os.walk(project.ROOT):
        here = Path(folder)
        passed = {".git", ".venv"} if here == project.ROOT else {"postgres"} if here == project.LOCAL else set()
        folders[:] = [each for each in folders if each not in passed]
        yield from (here, *(here / name for name in names))
