"""Starting the whole stack, and building its image again."""

import os

from benchmarks.measure import seconds
from benchmarks.production.checkout import Checkout
from benchmarks.production.stacks import Stacks

BARE, UP = "`docker compose up --wait`", "`inv prod.up`"
UNCHANGED, CHANGED = "nothing changed", "a line of code changed"
REPLICAS = 3  # whatever the configuration has, or runs of different ones could not be compared


class Starts:
    def __init__(self, checkout: Checkout, stacks: Stacks) -> None:
        self._checkout = checkout
        self._stacks = stacks

    def bare(self) -> float:
        """Of the same file, variables and replicas; the roles and the image are there."""
        self._down()
        project, overlay = self._checkout.project, self._checkout.overlay
        variables = {"WEB_REPLICAS": str(REPLICAS)}
        return seconds(lambda: self._checkout.compose(project, overlay, "up", "--detach", "--wait", **variables))

    def up(self) -> float:
        self._down()
        return seconds(lambda: self._checkout.inv("prod.up", "--web", str(REPLICAS)))

    def rebuild(self) -> float:
        """After a line was added to the module that most others import."""
        with (self._checkout.folder / "app" / "errors.py").open("a") as module:
            module.write(f"# {os.urandom(8).hex()}\n")
        return seconds(lambda: self._checkout.inv("prod.build"))

    def build(self) -> float:
        return seconds(lambda: self._checkout.inv("prod.build"))

    def _down(self) -> None:
        self._stacks.end()
        self._checkout.inv("prod.down")
