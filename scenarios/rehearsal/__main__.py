"""python -m scenarios.rehearsal --from REVISION --longest-blocked-ms N REVISION…

Downgrade the configured database, which has data, and apply the revisions again, one by one, measured.
"""

import argparse
import os
import signal
import sys

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from app.config import load
from scenarios.rehearsal import steps, table
from scenarios.rehearsal.steps import Step

INTERRUPTED = 130  # what a shell reports for a command that Ctrl-C ended


def main() -> int:
    """Returns the exit code: 1 for a migration that costs too much, breaks what runs, or does not apply."""
    options = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    url = load(os.environ["FLASK_CONFIG"]).database_url
    done: list[Step] = []
    try:
        steps.undo(url, options.start)
        for revision in options.revisions:
            done.append(steps.apply(url, revision))
            if done[-1].complaint:
                break
    except KeyboardInterrupt:
        return INTERRUPTED
    except (CommandError, DBAPIError, NotImplementedError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        print(
            f"nothing was rehearsed, since the way back to {options.start} fails: {reason}; "
            "mend the downgrade, or begin after it with --from",
            file=sys.stderr,
        )
        return 1
    table.show(done)
    return judged(done, options.longest_blocked_ms)


def judged(done: list[Step], longest_blocked_ms: int) -> int:
    code = 0
    for step in done:
        sys.stderr.write(step.complaint)
        for fault in step.faults(longest_blocked_ms):
            print(f"{step.name}: {fault}", file=sys.stderr)
            code = 1
    return code


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scenarios.rehearsal")
    parser.add_argument("--from", dest="start", required=True, metavar="REVISION")
    parser.add_argument("--longest-blocked-ms", type=int, required=True)
    parser.add_argument("revisions", nargs="+", metavar="REVISION")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
