"""Command line of the package: one command measures queries into a file, the other shows such files.

python -m groundwork.scenarios.explain measure FILE [--sql SQL | --only CALL]
python -m groundwork.scenarios.explain show NAME SIZE=FILE…  [--with-sql] [--html PAGE]
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from groundwork.scenarios.explain.query import Query


def main() -> int:
    options = arguments()
    if options.command == "measure":
        return measure(options.file, options.sql, options.only)
    show(options.name, options.files, options.with_sql, options.html)
    return 0


def measure(file: Path, sql: str, only: str) -> int:
    """Measure on the configured database; return the exit code: 1 for an invalid statement or an unknown call."""
    from psycopg import Error
    from sqlalchemy.exc import DBAPIError

    from groundwork.scenarios.explain import measure

    try:
        queries = measure.statement(sql) if sql else measure.app_calls(only)
    except measure.UnknownCall as unknown:
        print(unknown, file=sys.stderr)
        return 1
    except DBAPIError as error:
        message = error.orig.diag.message_primary if isinstance(error.orig, Error) else None
        print(f"PostgreSQL: {message or error.orig}", file=sys.stderr)
        return 1
    file.write_text(json.dumps([asdict(query) for query in queries]), "utf-8")
    return 0


def show(name: str, files: list[str], with_sql: bool, html: Path | None) -> None:
    from groundwork.scenarios.explain import report, table

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
    parser = argparse.ArgumentParser(prog="python -m groundwork.scenarios.explain")
    commands = parser.add_subparsers(dest="command", required=True)
    measure_parser = commands.add_parser("measure")
    measure_parser.add_argument("file", type=Path)
    measure_parser.add_argument("--sql", default="")
    measure_parser.add_argument("--only", default="")
    show_parser = commands.add_parser("show")
    show_parser.add_argument("name")
    show_parser.add_argument("files", nargs="+", metavar="SIZE=FILE")
    show_parser.add_argument("--with-sql", action="store_true")
    show_parser.add_argument("--html", type=Path)
    return parser.parse_args()


def _read(file: Path) -> list[Query]:
    return [Query(**query) for query in json.loads(file.read_text("utf-8"))]


if __name__ == "__main__":
    sys.exit(main())
