"""Command line of a benchmark package: `python -m PACKAGE --SIZE N … --rounds N [--write]`."""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from groundwork.system import errors, shell
from groundwork.system.errors import Exit
from packages.groundwork.benchmarks import machine, report
from packages.groundwork.benchmarks.measure import Experiment, Failed


def run(page: report.Page, packages: Sequence[str], choose: Callable[..., list[Experiment]], *sizes: str) -> None:
    """Run the experiments. `sizes` are names of size options; `choose` gets their values and a stack for cleanup."""
    parser = argparse.ArgumentParser()
    for option in (*sizes, "rounds"):
        parser.add_argument(f"--{option}", type=int, required=True)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    try:
        with shell.interruptible(), errors.exit_on_os_error("nothing was measured"), ExitStack() as stack:
            measured = report.progress(
                choose(stack, **{size: getattr(options, size) for size in sizes}), options.rounds
            )
    except Failed as failed:
        sys.exit(f"a candidate failed: {failed}")
    except Exit as ended:
        sys.exit(ended.message or ended.code)
    report.show(measured)
    if options.write:
        report.write(page, measured, machine.facts(*packages))
