"""python -m scenarios.lab measure FILE [--sql SQL | --only CALL]: write down what the configured database answers.
python -m scenarios.lab show NAME SIZE=FILE…  [--with-sql] [--html PAGE]: show what was written down.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from scenarios.lab.query import Query


def main() -> int:
    options = arguments()
    if options.command == "measure":
        return measure(options.file, options.sql, options.only)
    show(options.name, options.files, options.with_sql, options.html)
    return 0


def measure(file: Path, sql: str, only: str) -> int:
    """Returns the exit code: 1 for a statement that PostgreSQL refuses, and a call that there is not."""
    from psycopg import Error
    from sqlalchemy.exc import DBAPIError

    from scenarios.lab import measure

    try:
        queries = measure.statement(sql) if sql else measure.of_the_app(only)
    except measure.NoSuchCall as unknown:
        print(unknown, file=sys.stderr)
        return 1
    except DBAPIError as error:
        said = error.orig.diag.message_primary if isinstance(error.orig, Error) else None
        print(f"PostgreSQL: {said or error.orig}", file=sys.stderr)
        return 1
    file.write_text(json.dumps([asdict(query) for query in queries]), "utf-8")
    return 0


def show(name: str, files: list[str], with_sql: bool, html: Path | None) -> None:
    from scenarios.lab import report, table

    by_size = {int(size): _read(Path(file)) for size, _, file in (each.partition("=") for each in files)}
    if len(by_size) == 1:
        (queries,) = by_size.values()
        table.show(queries)
        if with_sql:
            table.show_sql(queries)
    else:
        table.show_growth(by_size)
    if html:
        report.write(html, name, by_size)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scenarios.lab")
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("file", type=Path)
    measuring.add_argument("--sql", default="")
    measuring.add_argument("--only", default="")
    showing = commands.add_parser("show")
    showing.add_argument("name")
    showing.add_argument("files", nargs="+", metavar="SIZE=FILE")
    showing.add_argument("--with-sql", action="store_true")
    showing.add_argument("--html", type=Path)
    return parser.parse_args()


def _read(file: Path) -> list[Query]:
    return [Query(**query) for query in json.loads(file.read_text("utf-8"))]


if __name__ == "__main__":
    sys.exit(main())
