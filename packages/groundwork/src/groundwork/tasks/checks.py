"""Checks of `inv doctor`: independent, in parallel, each with a timeout of some seconds."""

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

from groundwork.configuration import loader
from groundwork.postgresql import embedded
from groundwork.system import browser, docker, paths, ports
from groundwork.system.errors import Exit

SECONDS = 5
NEEDED_GB = 1.0
"""For .venv (about half of it), a development database and the images."""
OLDEST_COMPOSE = (2, 24, 4)
"""The first with `!override`, which the benchmarks and the production stack with TLS use."""
ARCHITECTURES = {"x86_64", "amd64", "arm64", "aarch64"}
REGISTRY = ("registry-1.docker.io", 443)

State = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """Result of one check: a warning affects some tasks only; an error keeps `inv dev` or `inv test` from running."""

    subject: str
    state: State
    detail: str
    remedy: str = ""


def run_all() -> list[Finding]:
    """Run all checks; return the findings in display order. One thread checks the engine and PostgreSQL together."""
    checks: list[Callable[[], list[Finding]]] = [
        lambda: [python(), architecture(), uv(), git()],
        lambda: [configuration(), *server_ports()],
        lambda: [disk_space(), file_ownership()],
        databases,
        lambda: [terraform(), browser_program()],
    ]
    with ThreadPoolExecutor(len(checks)) as pool:
        return [finding for found in pool.map(lambda check: check(), checks) for finding in found]


def python() -> Finding:
    return Finding("Python", "ok", f"{platform.python_version()}, {paths.display(Path(sys.executable))}")


def architecture() -> Finding:
    machine = platform.machine()
    if machine.lower() in ARCHITECTURES:
        return Finding("architecture", "ok", f"{platform.system()} on {machine}")
    return Finding("architecture", "warning", machine, "some packages have no wheel for it: install a C compiler")


def uv() -> Finding:
    version = output("uv", "--version") or output(str(Path(sys.executable).with_name("uv")), "--version")
    return Finding("uv", "ok", version) if version else Finding("uv", "warning", "none", "./inv installs it into .venv")


def git() -> Finding:
    if version := output("git", "--version"):
        return Finding("git", "ok", version.removeprefix("git version "))
    return Finding("git", "error", "none", "install it: tests and releases read files and versions from it")


def configuration() -> Finding:
    try:
        problems = loader.find_problems()
    except Exit as error:
        problems = [str(error)]
    if not problems:
        return Finding("configuration", "ok", ", ".join(loader.names()))
    return Finding(
        "configuration", "error", f"{len(problems)} problems", "inv config.check shows each problem and where it is"
    )


def server_ports() -> Iterator[Finding]:
    try:
        loaded = loader.load("development", missing_secrets="show")
    except Exit:
        return
    for name in ("POSTGRES_PORT", "FLASK_RUN_PORT"):
        port = int(loaded[name])
        subject = f"port {port}"
        if ports.is_taken(port):
            remedy = f"nothing to do: inv dev uses the next free port; to choose another one, set {name}"
            yield Finding(subject, "warning", "in use", remedy)
        else:
            yield Finding(subject, "ok", "free")


def disk_space() -> Finding:
    free = shutil.disk_usage(paths.ROOT).free / 1e9
    if free >= NEEDED_GB:
        return Finding("disk", "ok", f"{free:.0f} GB free")
    return Finding("disk", "error", f"{free:.1f} GB free", f"free some space: {NEEDED_GB:.0f} GB are needed")


def file_ownership() -> Finding:
    """Look for read-only files of other users, which containers and `sudo` create and on which tasks fail half-way.

    The caller's own read-only files are ignored: git, for example, creates some on purpose.
    """
    if not os.access(paths.ROOT, os.W_OK):
        remedy = "clone the project into a folder that is writable for you"
        return Finding("files", "error", f"{paths.ROOT} is read-only", remedy)
    locked = [path for path in _files() if _is_locked_by_another_user(path)]
    if not locked:
        return Finding("files", "ok", "none belongs to another user")
    several = f" and {len(locked) - 1} more" if len(locked) > 1 else ""
    detail = f"owned by another user and read-only for you: {paths.display(locked[0])}{several}"
    return Finding("files", "error", detail, f"sudo chown -R $USER {paths.ROOT}")


def databases() -> list[Finding]:
    """Check the engine and the embedded PostgreSQL; one of the two is enough."""
    embedded_server, reachable = _embedded(), registry()
    reason = docker.find_obstacle()
    server = output("docker", "version", "--format", "{{.Server.Version}}") if reason is None else ""
    if not server:
        remedy = "start or install it: the production stack and its tests need it"
        return [Finding("Docker Engine", "warning", reason or "does not respond", remedy), embedded_server, reachable]
    compose = _compose(output("docker", "compose", "version", "--short"))
    image = _image()
    if compose.state == "ok" and "ok" in (image.state, reachable.state):
        embedded_server = replace(embedded_server, state="warning" if embedded_server.remedy else "ok")
    return [Finding("Docker Engine", "ok", server), compose, image, embedded_server, reachable]


def registry() -> Finding:
    host, port = REGISTRY
    try:
        socket.create_connection((host, port), timeout=SECONDS).close()
    except OSError as error:
        reason = error.strerror or str(error)
        return Finding(
            "image registry", "warning", f"{host}: {reason}", "images cannot be pulled: .ci/engine/up builds them"
        )
    return Finding("image registry", "ok", host)


def terraform() -> Finding:
    version = output("terraform", "version").partition("\n")[0]
    if version:
        return Finding("Terraform", "ok", version.removeprefix("Terraform "))
    return Finding(
        "Terraform", "warning", "none", "install it for AWS: https://developer.hashicorp.com/terraform/install"
    )


def browser_program() -> Finding:
    program = browser.find()
    if program:
        return Finding("browser", "ok", program)
    return Finding("browser", "warning", "none", f"browser tests are skipped: {browser.REMEDY}")


def output(*command: str) -> str:
    """Return the command's standard output; empty if it is missing, fails or exceeds the timeout."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _compose(version: str) -> Finding:
    oldest = ".".join(map(str, OLDEST_COMPOSE))
    numbers: Any = tuple(map(int, re.findall(r"\d+", version)[:3]))
    if numbers >= OLDEST_COMPOSE:
        return Finding("Compose", "ok", version)
    return Finding("Compose", "warning", version or "none", f"install the plugin docker-compose, {oldest} or newer")


def _image() -> Finding:
    try:
        name = loader.load("development", missing_secrets="show").images.postgres
    except Exit:
        return Finding("image", "warning", "not named, since the configuration is invalid", "inv config.check")
    if output("docker", "image", "inspect", "--format", "{{.Id}}", name):
        return Finding(f"image {name}", "ok", "present")
    return Finding(f"image {name}", "warning", "not pulled yet", f"inv dev pulls it, or: docker pull {name}")


def _embedded() -> Finding:
    try:
        version = output(str(embedded.binary("postgres")), "--version")
    except Exit as error:
        version, reason = "", str(error)
    else:
        reason = "its programs do not run on this machine"
    if version:
        return Finding("embedded PostgreSQL", "ok", version.rpartition(" ")[2])
    return Finding("embedded PostgreSQL", "error", reason, "use a Docker Engine instead")


def _is_locked_by_another_user(path: Path) -> bool:
    try:
        is_foreign = path.lstat().st_uid != os.geteuid() if hasattr(os, "geteuid") else False
    except FileNotFoundError:  # a concurrent task may have deleted it
        return False
    return is_foreign and not os.access(path, os.W_OK, follow_symlinks=False)


def _files() -> Iterator[Path]:
    """Yield all files and folders, except in .git, .venv and PostgreSQL's data, which their own programs write."""
    for folder, folders, names in os.walk(paths.ROOT):
        here = Path(folder)
        skipped = {".git", ".venv"} if here == paths.ROOT else {"postgres"} if here == paths.LOCAL else set()
        folders[:] = [each for each in folders if each not in skipped]
        yield from (here, *(here / name for name in names))
