"""python -m scenarios NAME [--size N] [--seed N]: fill the configured database with a situation."""

import argparse
import os
import signal
import sys

SEED = 1
INTERRUPTED = 130  # what a shell reports for a command that Ctrl-C ended


def main() -> int:
    """Returns the exit code: 1 for a story that fails, 2 for one that does not exist."""
    # Not at the top: the processes that make rows import this module too.
    from app.config import load
    from scenarios.loading import rows, telling

    options = arguments(telling.names())
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        url = load(os.environ["FLASK_CONFIG"]).database_url
        size = options.size or telling.size_of(options.name)
        told = telling.tell(url, options.name, size, options.seed)
    except telling.NotEmpty:
        print("The database is not empty: nothing was added.")
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        where = rows.place(error) or f"scenarios/{options.name}.py"
        reason = (str(error).splitlines() or ["no reason given"])[0]
        print(f"{where}: {type(error).__name__}: {reason}", file=sys.stderr)
        return 1
    else:
        print(f"{options.name}: {told}")
    return 0


def arguments(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scenarios")
    parser.add_argument("name", choices=names)
    parser.add_argument("--size", type=int, help="of a story that can be told larger or smaller")
    parser.add_argument("--seed", type=int, default=SEED, help="another one is another set of rows, the same each time")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
