"""Starts of the whole stack, and rebuilds of its image."""

import os

from packages.groundwork.benchmarks.measure import seconds
from packages.groundwork.benchmarks.production.checkout import Checkout
from packages.groundwork.benchmarks.production.stacks import Stacks

BARE, UP = "`docker compose up --wait`", "`inv prod.up`"
UNCHANGED, CHANGED = "nothing changed", "a line of code changed"
REPLICAS = 3  # fixed, so that results do not depend on the configuration


class Starts:
    def __init__(self, checkout: Checkout, stacks: Stacks) -> None:
        self._checkout = checkout
        self._stacks = stacks

    def bare(self) -> float:
        """Start by Compose alone with the same file, variables and replicas. Roles and image exist already."""
        self._down()
        project, overlay = self._checkout.project, self._checkout.overlay
        variables = {"WEB_REPLICAS": str(REPLICAS)}
        return seconds(lambda: self._checkout.compose(project, overlay, "up", "--detach", "--wait", **variables))

    def up(self) -> float:
        self._down()
        return seconds(lambda: self._checkout.inv("prod.up", "--web", str(REPLICAS)))

    def rebuild(self) -> float:
        """Build after adding a line to app/models.py, which every process imports."""
        with (self._checkout.folder / "app" / "models.py").open("a") as module:
            module.write(f"# {os.urandom(8).hex()}\n")
        return seconds(lambda: self._checkout.inv("prod.build"))

    def build(self) -> float:
        return seconds(lambda: self._checkout.inv("prod.build"))

    def _down(self) -> None:
        self._stacks.end()
        self._checkout.inv("prod.down")
