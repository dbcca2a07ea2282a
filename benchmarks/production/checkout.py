"""A copy of the checkout, whose production stack is nobody else's and is gone at the end."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from benchmarks import place
from benchmarks.measure import Failed
from ops import ports, project, shell, stack
from ops.configuration import Configuration
from tests import leftovers

HERE = Path(__file__).parent
NOT_LIMITED = "1000000"
SIZES = {
    "PROXY_WRITES_PER_SECOND": NOT_LIMITED,  # of one address, and here all comes from one
    "PROXY_WRITES_BURST": NOT_LIMITED,
    "DB_MAX_CONNECTIONS": "400",  # many stacks have theirs open, and use them in turn
}
GENEROUS_STOCK = 10**9


class Checkout:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = ports.any_free()
        self.environment = {**os.environ, **SIZES, "PROXY_PORT": str(self.port), "PYTHONDONTWRITEBYTECODE": "1"}

    def inv(self, *arguments: str) -> None:
        """Raises Failed with what the task said."""
        command = [sys.executable, "-m", "invoke", "--search-root", str(self.folder), *arguments]
        run(command, self.folder, self.environment)

    def compose(self, name: str, overlay: str, *arguments: str, **variables: str) -> str:
        """On a stack of that name, with the file and the variables of `inv prod.up`. Raises Failed."""
        command = ["docker", "compose", "--project-name", name, "--progress", "plain"]
        command += ["--file", "compose/production.yml", "--file", "-", *arguments]
        return run(command, self.folder, {**self.environment, **self.variables, **variables}, overlay)

    @cached_property
    def project(self) -> str:
        """By which the engine knows its stack."""
        asked = [sys.executable, "-c", "from ops import stack; print(stack.PROJECT)"]
        return run(asked, self.folder, self.environment).strip()

    @property
    def image(self) -> str:
        return f"{self.project}-web:released"

    @property
    def image_of_contenders(self) -> str:
        """With the servers that ours is compared with."""
        return f"{self.project}-contenders"

    @cached_property
    def settings(self) -> Configuration:
        return stack.known()

    @cached_property
    def variables(self) -> dict[str, str]:
        secrets = self.folder / project.LOCAL.name / "secrets" / "production"
        own = {**SIZES, "PROXY_PORT": str(self.port), "SECRETS": str(secrets)}
        return {**stack.variables(self.settings, self.image), **own}

    @cached_property
    def token(self) -> str:
        """Of somebody of the staff, who is registered when it is first asked for."""
        return stack.token(f"{self.project}-web-1", "clerk@example.com")

    @property
    def overlay(self) -> str:
        """What `inv prod.up` gives Compose by standard input."""
        return stack.environments(self.settings)

    def build_contenders(self) -> None:
        build = ("docker", "build", "--quiet", "--tag", self.image_of_contenders)
        run([*build, "--build-arg", f"SERVICE={self.image}", str(HERE)])

    def load(self, orders: int) -> None:
        """The scenario `orders`, with goods that do not run out."""
        scenarios = ("--volume", f"{self.folder / 'scenarios'}:/srv/scenarios:ro")
        command = ("python", "-m", "scenarios", "orders", "--size", str(orders))
        self.compose(
            self.project, self.overlay, "run", "--rm", "--no-deps", *scenarios, "migrate", *command,
            WEB_IMAGE=self.image_of_contenders, MIGRATE_MEMORY_MB="2000", MIGRATE_CPUS=str(os.cpu_count()),
        )  # fmt: skip
        self.sql(f"UPDATE products SET stock = {GENEROUS_STOCK};\nVACUUM ANALYZE;")  # noqa: S608  a number of ours

    def sql(self, script: str) -> str:
        return run(self._psql, stdin=script)

    @contextmanager
    def transaction(self, script: str) -> Iterator[None]:
        """Stays open, with this done, as long as the block runs."""
        with subprocess.Popen(self._psql, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin  # noqa: S101  for mypy
            assert process.stdout  # noqa: S101  likewise
            try:
                process.stdin.write(f"BEGIN;\n{script};\n\\echo done\n")
                process.stdin.flush()
                if "done\n" not in iter(process.stdout.readline, ""):
                    raise Failed(f"psql could not do {script!r}")
                yield
            finally:
                process.stdin.close()

    def end(self) -> None:
        self.inv("prod.down", "--volumes", "--yes-i-mean", self.settings["APPLICATION_DB"])
        leftovers.remove_images(self.project)

    @property
    def _psql(self) -> list[str]:
        return ["docker", "exec", "--interactive", f"{self.project}-db-1", *stack.PSQL, self.settings["APPLICATION_DB"]]


@contextmanager
def checkout() -> Iterator[Checkout]:
    """Its stack is up inside, with the replicas that it is configured to have."""
    leftovers.discard_abandoned()
    with place.copy_of_checkout() as folder:
        copy = Checkout(folder)
        try:
            copy.inv("prod.up")
            yield copy
        finally:
            with shell.uninterrupted():
                copy.end()


def run(
    command: list[str], folder: Path = project.ROOT, environment: dict[str, str] | None = None, stdin: str = ""
) -> str:
    """What it printed. Raises Failed with what it said."""
    told = subprocess.run(
        command, cwd=folder, env=environment, input=stdin, capture_output=True, text=True, check=False
    )
    if told.returncode:
        raise Failed(f"{' '.join(command)} ended with {told.returncode}\n{told.stdout}{told.stderr}")
    return told.stdout
