"""Shell for the commands of a page."""

import os
import shlex
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import IO

SECONDS = 300  # maximum for any command, even on a busy machine
SAID = "what was said ends here:"


class Shell:
    """Shell that lives for a whole page, so that later blocks see its variables."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.left: dict[str, subprocess.Popen[str]] = {}
        self.process = self._start("bash", stdin=subprocess.PIPE)

    def type(self, command: str) -> tuple[str, int]:
        """Run the command and return its output, stdout and stderr, and its exit code."""
        assert self.process.stdin
        self.process.stdin.write(f"eval {shlex.quote(command)} </dev/null\ncode=$?; echo; echo '{SAID}' $code\n")
        self.process.stdin.flush()
        return self._read()

    def leave(self, command: str, sign: str) -> str:
        """Start the command, end an earlier one of the same text, and return its output up to the line with `sign`."""
        if command in self.left:
            self._interrupt(self.left.pop(command))
        log = self.folder.parent / f"{len(self.logs())}.log"
        with log.open("w") as file:
            process = self.left[command] = self._start("bash", "-c", command, stdin=subprocess.DEVNULL, stdout=file)
        deadline = time.monotonic() + SECONDS
        while sign not in (said := log.read_text("utf-8")) or not said.endswith("\n"):
            assert time.monotonic() < deadline, f"not within {SECONDS} s: {sign!r} by {command}, which said\n{said}"
            assert process.poll() is None, f"{command} has ended; it said\n{said}"
            time.sleep(0.1)
        return said[: said.index("\n", said.index(sign))]

    def logs(self) -> list[Path]:
        return sorted(self.folder.parent.glob("*.log"))

    def _read(self) -> tuple[str, int]:
        said = ""
        impatience = threading.Timer(SECONDS, self.process.kill)
        impatience.start()
        for line in self.process.stdout or ():
            if line.startswith(SAID):
                impatience.cancel()
                return said, int(line.split()[-1])
            said += line
        raise AssertionError(f"ended the shell, or took longer than {SECONDS} s; it said {said}")

    def end(self) -> None:
        processes = [*self.left.values(), self.process]
        for process in processes:
            process.terminate()
        for process in processes:
            process.communicate(timeout=30)

    def _interrupt(self, process: "subprocess.Popen[str]") -> None:
        """Press Ctrl-C."""
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=SECONDS)
        assert process.returncode in (0, 130, -signal.SIGINT), f"Ctrl-C: it ended with {process.returncode}"

    def _start(self, *command: str, stdin: int, stdout: IO[str] | int = subprocess.PIPE) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
