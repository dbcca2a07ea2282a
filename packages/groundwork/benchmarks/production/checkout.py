"""Copy of the checkout with its own production stack, which is removed at the end."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from groundwork.configuration.loader import Configuration
from groundwork.production import cleanup, stack
from groundwork.scenarios import workspace
from groundwork.system import paths, ports, shell
from packages.groundwork.benchmarks import place
from packages.groundwork.benchmarks.measure import Failed

HERE = Path(__file__).parent
NOT_LIMITED = "1000000"
SIZES = {
    "PROXY_WRITES_PER_SECOND": NOT_LIMITED,  # per address, and the client has only one
    "PROXY_WRITES_BURST": NOT_LIMITED,
    "DB_MAX_CONNECTIONS": "400",  # many stacks keep connections open and take turns
}
GENEROUS_STOCK = 10**9


class Checkout:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = ports.any_free()
        self.environment = {**os.environ, **SIZES, "PROXY_PORT": str(self.port), "PYTHONDONTWRITEBYTECODE": "1"}

    def inv(self, *arguments: str) -> None:
        """Run a task in the copy. Raise Failed with its output if it fails."""
        command = [sys.executable, "-m", "invoke", "--search-root", str(self.folder), *arguments]
        run(command, self.folder, self.environment)

    def compose(self, name: str, overlay: str, *arguments: str, **variables: str) -> str:
        """Run Compose on a stack with the file and variables of `inv prod.up`. Raise Failed if it fails."""
        command = ["docker", "compose", "--project-name", name, "--progress", "plain"]
        command += ["--file", "compose/production.yml", "--file", "-", *arguments]
        return run(command, self.folder, {**self.environment, **self.variables, **variables}, overlay)

    @cached_property
    def project(self) -> str:
        """Compose project name of the copy's stack."""
        asked = [sys.executable, "-c", "from groundwork.production import stack; print(stack.PROJECT)"]
        return run(asked, self.folder, self.environment).strip()

    @property
    def image(self) -> str:
        return f"{self.project}-web:released"

    @property
    def image_of_contenders(self) -> str:
        """Image of the service with the compared servers."""
        return f"{self.project}-contenders"

    @cached_property
    def settings(self) -> Configuration:
        return stack.known()

    @cached_property
    def variables(self) -> dict[str, str]:
        mounted = self.folder / paths.LOCAL.name / "mounted"
        kept = mounted.with_name("benchmarked")  # inv prod.down deletes the originals once no container mounts them
        subprocess.run(["cp", "--archive", mounted, kept], check=True)
        (nginx,) = kept.glob("nginx-*")
        (secrets,) = set(kept.iterdir()) - {nginx}
        own = {**SIZES, "PROXY_PORT": str(self.port), "MOUNTED": str(secrets), "MOUNTED_NGINX": str(nginx)}
        return {**stack.variables(self.settings, self.image), **own}

    @cached_property
    def token(self) -> str:
        """Token of a staff account, which is registered on first use."""
        return stack.token(f"{self.project}-web-1", "clerk@example.com")

    @property
    def overlay(self) -> str:
        """Compose file that `inv prod.up` passes on standard input."""
        return stack.environments(self.settings)

    def build_contenders(self) -> None:
        build = ("docker", "build", "--quiet", "--tag", self.image_of_contenders)
        run([*build, "--build-arg", f"SERVICE={self.image}", str(HERE)])

    def load(self, orders: int) -> None:
        """Load the scenario `orders` with stock that does not run out."""
        sources = ("scenarios", "pyproject.toml")
        scenarios = [part for name in sources for part in ("--volume", f"{self.folder / name}:/srv/{name}:ro")]
        command = ("python", "-m", workspace.LOADING, "orders", "--size", str(orders))
        self.compose(
            self.project, self.overlay, "run", "--rm", "--no-deps", *scenarios, "migrate", *command,
            WEB_IMAGE=self.image_of_contenders, MIGRATE_MEMORY_MB="2000", MIGRATE_CPUS=str(os.cpu_count()),
        )  # fmt: skip
        self.sql(f"UPDATE products SET stock = {GENEROUS_STOCK};\nVACUUM ANALYZE;")  # noqa: S608  the number is a constant

    def sql(self, script: str) -> str:
        return run(self._psql, stdin=script)

    @contextmanager
    def transaction(self, script: str) -> Iterator[None]:
        """Run the script in a transaction that stays open during the block. Raise Failed if the script fails."""
        with subprocess.Popen(self._psql, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin  # noqa: S101  for mypy
            assert process.stdout  # noqa: S101  for mypy
            try:
                process.stdin.write(f"BEGIN;\n{script};\n\\echo done\n")
                process.stdin.flush()
                if "done\n" not in iter(process.stdout.readline, ""):
                    raise Failed(f"psql failed to run {script!r}")
                yield
            finally:
                process.stdin.close()

    def end(self) -> None:
        self.inv("prod.down", "--volumes", "--yes-i-mean", self.settings["APPLICATION_DB"])
        cleanup.remove_images(self.project)

    @property
    def _psql(self) -> list[str]:
        return ["docker", "exec", "--interactive", f"{self.project}-db-1", *stack.PSQL, self.settings["APPLICATION_DB"]]


@contextmanager
def checkout() -> Iterator[Checkout]:
    """Yield a copy whose stack is up with the configured number of replicas. Remove both afterwards."""
    cleanup.discard_abandoned()
    with place.copy_of_checkout() as folder:
        copy = Checkout(folder)
        try:
            copy.inv("prod.up")
            yield copy
        finally:
            with shell.uninterrupted():
                copy.end()


def run(
    command: list[str], folder: Path = paths.ROOT, environment: dict[str, str] | None = None, stdin: str = ""
) -> str:
    """Run the command and return its stdout. Raise Failed with its output if it fails."""
    told = subprocess.run(
        command, cwd=folder, env=environment, input=stdin, capture_output=True, text=True, check=False
    )
    if told.returncode:
        raise Failed(f"{' '.join(command)} exited with code {told.returncode}\n{told.stdout}{told.stderr}")
    return told.stdout
