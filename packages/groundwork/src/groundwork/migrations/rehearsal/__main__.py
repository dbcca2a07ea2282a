"""Command line `python -m groundwork.migrations.rehearsal --from REVISION --longest-blocked-ms N REVISION…`.

It downgrades the configured database, applies the revisions one at a time, and measures each.
"""

import argparse
import signal
import sys

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from groundwork.migrations.rehearsal import steps, table
from groundwork.migrations.rehearsal.steps import Step
from groundwork.scenarios import project

INTERRUPTED = 130  # a shell's exit code after Ctrl-C


def main() -> int:
    """Rehearse; return the exit code: 1 if a migration blocks too long, makes queries fail, or cannot be applied."""
    options = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    url = project.database_url()
    done: list[Step] = []
    try:
        steps.downgrade(url, options.start)
        for revision in options.revisions:
            done.append(steps.apply(url, revision))
            if done[-1].error:
                break
    except KeyboardInterrupt:
        return INTERRUPTED
    except (CommandError, DBAPIError, NotImplementedError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        print(
            f"nothing was rehearsed, since the downgrade to {options.start} failed: {reason}; "
            "correct the downgrade, or start after it with --from",
            file=sys.stderr,
        )
        return 1
    table.show(done)
    return report(done, options.longest_blocked_ms)


def report(done: list[Step], longest_blocked_ms: int) -> int:
    """Print the problems of all steps; return the exit code."""
    code = 0
    for step in done:
        sys.stderr.write(step.error)
        for problem in step.problems(longest_blocked_ms):
            print(f"{step.name}: {problem}", file=sys.stderr)
            code = 1
    return code


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m groundwork.migrations.rehearsal")
    parser.add_argument("--from", dest="start", required=True, metavar="REVISION")
    parser.add_argument("--longest-blocked-ms", type=int, required=True)
    parser.add_argument("revisions", nargs="+", metavar="REVISION")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
