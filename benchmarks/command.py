"""The command line of a package of experiments: `python -m benchmarks.NAME --SIZE N … --rounds N [--write]`."""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from invoke.exceptions import Exit

from benchmarks import machine, report
from benchmarks.measure import Experiment, Failed
from ops import disk, shell


def run(page: report.Page, packages: Sequence[str], choose: Callable[..., list[Experiment]], *sizes: str) -> None:
    """`sizes` name the options that say how large; `choose` gets a stack for what it starts, and their values."""
    parser = argparse.ArgumentParser()
    for option in (*sizes, "rounds"):
        parser.add_argument(f"--{option}", type=int, required=True)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    try:
        with shell.interruptible(), disk.failures("nothing was measured"), ExitStack() as stack:
            measured = report.progress(
                choose(stack, **{size: getattr(options, size) for size in sizes}), options.rounds
            )
    except Failed as failed:
        sys.exit(f"a contender failed: {failed}")
    except Exit as ended:
        sys.exit(ended.message or ended.code)
    report.show(measured)
    if options.write:
        report.write(page, measured, machine.facts(*packages))
