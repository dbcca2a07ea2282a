"""Command line `python -m groundwork.scenarios.loading NAME [--size N] [--seed N]`.

It loads a scenario into the configured database.
"""

import argparse
import signal
import sys

from groundwork.scenarios import project
from groundwork.scenarios.loading import loader, rows

SEED = 1
INTERRUPTED = 130  # a shell's exit code after Ctrl-C


def main() -> int:
    """Load the scenario; return the exit code: 1 if the scenario fails, 2 if there is no such scenario."""
    options = arguments(project.scenario_names())
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        size = options.size or loader.default_size(options.name)
        summary = loader.load(project.database_url(), options.name, size, options.seed)
    except loader.NotEmpty:
        print("The database is not empty: nothing was added.")
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        location = rows.location(error) or f"{project.FOLDER.name}/{options.name}.py"
        reason = (str(error).splitlines() or ["no reason given"])[0]
        print(f"{location}: {type(error).__name__}: {reason}", file=sys.stderr)
        return 1
    else:
        print(f"{options.name}: {summary}")
    return 0


def arguments(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m groundwork.scenarios.loading")
    parser.add_argument("name", choices=names)
    parser.add_argument("--size", type=int, help="size of the data, if it is not fixed")
    parser.add_argument("--seed", type=int, default=SEED, help="seed of the random data; equal seeds give equal rows")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
