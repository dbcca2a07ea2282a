"""A session in which a task asks little: by psql where it can be, which has answered before psycopg is imported."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from invoke.exceptions import Exit

from ops import database, postgres, shell
from ops.configuration import Configuration

if TYPE_CHECKING:
    import psycopg

Ask = Callable[[str], list[str]]
"""What a query of one column finds, as text."""

END = "that was all"
OPTIONS = ["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--no-password", "--set", "ON_ERROR_STOP=1"]


@contextmanager
def opened(configuration: Configuration) -> Iterator[Ask]:
    """With the database that the configuration means, which is made where `connect_or_create` makes it.

    Raises Exit where it cannot be used, or gives up. What is held in it is free once this process is gone, too.
    """
    if database.is_on_this_machine(configuration):  # to others one may need TLS, which the wheel's psql has not
        with _psql(configuration) as process:
            if process.stdout and process.stdout.readline():
                yield lambda query: _ask(process, query)
                return
    with database.connect_or_create(configuration) as connection, database.failures():
        yield of(connection)


def of(connection: "psycopg.Connection[tuple[object, ...]]") -> Ask:
    return lambda query: [str(value) for (value,) in connection.execute(query)]


@contextmanager
def _psql(configuration: Configuration) -> Iterator["subprocess.Popen[str]"]:
    """Says a line once it is connected, and none where it cannot be."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [str(postgres.binary("psql")), *OPTIONS, "--command", r"\echo connected", "--file", "-"],
        env=shell.environment(database.variables(configuration) | {"PGDATABASE": configuration["APPLICATION_DB"]}),
        stdin=pipe, stdout=pipe, stderr=pipe, text=True,
    )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            process.kill()


def _ask(process: "subprocess.Popen[str]", query: str) -> list[str]:
    answer: list[str] = []
    with suppress(BrokenPipeError):  # it has ended, and has said why
        print(f"{query};\n\\echo {END}", file=process.stdin, flush=True)
    for line in process.stdout or ():
        if line == f"{END}\n":
            return answer
        answer.append(line.removesuffix("\n"))
    _, complaint = process.communicate()
    _, _, reason = complaint.partition("\n")[0].partition(": ")  # after psql's name and the number of its input's line
    raise Exit(f"PostgreSQL gave up: {reason or 'psql has ended'}", code=1)
