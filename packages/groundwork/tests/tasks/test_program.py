"""Help of `inv` and its error messages for invalid command lines."""

import errno
import inspect
import os
import re
import shlex
import subprocess
import sys
from unittest.mock import Mock

import pytest
from invoke.parser import Parser

from groundwork.system import paths, shell
from groundwork.tasks import program
from tasks import namespace

COLUMNS = 80
INDENT = 2  # of the docstring in a task's help
PARSER = Parser(initial=program.Program(namespace).initial_context, contexts=namespace.to_contexts())
COLLECTIONS = "|".join(namespace.collections)
NAMED = re.compile(rf"`(?:inv )?((?<=inv )\w[\w.-]*\w|(?:{COLLECTIONS})\.[a-z-]+)(?=[\s`])")


@pytest.mark.parametrize("command", [["./inv"], [sys.executable, "-m", "invoke"]])
def test_the_list_takes_one_line_a_task(command: list[str]) -> None:
    listed = subprocess.run([*command, "--list"], cwd=paths.ROOT, capture_output=True, text=True, check=True).stdout

    lines = [line for line in listed.splitlines() if line.startswith("  ")]
    assert len(lines) == len(namespace.task_names)
    assert max(map(len, lines)) <= COLUMNS


@pytest.mark.parametrize("name", namespace.task_names)
def test_the_help_has_an_example_that_can_be_typed_and_is_not_wrapped(name: str) -> None:
    inv, *words = shlex.split(program.example(namespace[name]))

    _, *called = PARSER.parse_argv(words)

    assert inv == "inv"
    assert max(map(len, (inspect.getdoc(namespace[name]) or "").splitlines())) <= COLUMNS - INDENT
    assert [context.name for context in called] == [name]


def test_the_documentation_names_every_task_and_no_other() -> None:
    pages = [paths.ROOT / "README.md", *(paths.ROOT / "docs").glob("*.md")]
    named = {name for page in pages for name in NAMED.findall(page.read_text("utf-8"))}

    assert not {name for name, aliases in namespace.task_names.items() if not named & {name, *aliases}}
    assert not {name for name in named if name not in PARSER.contexts}


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("db.migarte", "no task db.migarte: did you mean db.migrate?  inv --list shows all"),
        ("tests", "no task tests: did you mean test?"),
        ("dve", "no task dve: did you mean dev?"),
        ("rollback", "no task rollback: did you mean prod.rollback"),
        ("--help db.revison", "no task db.revison: did you mean db.revision?  inv --list shows all"),
        ('"it\'s"', "no task it's: inv --list shows all"),
        ("nothing-like-it", "no task nothing-like-it: inv --list shows all"),
        ("db", "db is a collection of tasks: inv --list db shows them"),
        ("db.migrate db.stauts", "no task db.stauts: did you mean db.status?"),
        ("db.migrate --dryrun", "db.migrate has no option --dryrun: did you mean --dry-run?"),
        ("test -x", "test has no option -x, as in: inv test -- "),
        ("db.revision", "db.revision needs 'message', as in: inv db.revision -m"),
        ("db.revision -m", "db.revision --message needs a value, as in: inv db.revision -m"),
        ("db.revision --mesage x", "db.revision has no option --mesage: did you mean --message?"),
        ("db.revision --nothing-like-it", "db.revision has no option --nothing-like-it, as in: "),
        ("run flask routes", "run takes no argument routes, and there is no such task, as in: "),
        ("--lst", "no option --lst: did you mean --list?"),
    ],
)
def test_what_is_not_understood_is_answered_in_one_line(
    typed: str, answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match=r"^1$"):
        program.Program(namespace).run(["inv", *shlex.split(typed)])

    said = capsys.readouterr()
    assert said.err.startswith(f"inv: {answer}")
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_inv_alone_lists_the_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        program.Program(namespace).run(["inv"])

    said = capsys.readouterr().out
    assert "db.migrate" in said
    assert "--prompt-for-sudo-password" not in said


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_file_that_cannot_be_written_is_one_line(
    number: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = OSError(number, os.strerror(number), "/checkout/.local")
    monkeypatch.setattr("groundwork.configuration.loader.load", Mock(side_effect=refused))

    with pytest.raises(SystemExit, match=r"^1$"):
        program.Program(namespace).run(["inv", "dev"])

    assert capsys.readouterr().err == f"/checkout/.local: {os.strerror(number)}: run inv doctor to find the cause\n"


def test_the_tasks_without_their_environment_say_what_to_type() -> None:
    typed = subprocess.run(
        [sys.executable, "-S", "tasks.py"], cwd=paths.ROOT, capture_output=True, text=True, check=False
    )

    assert typed.returncode == 1
    assert typed.stderr == "tasks.py: type ./inv instead, which installs what the tasks need\n"


@pytest.mark.parametrize("typed", [["--list"], ["db.revision", "--help"]])
def test_what_is_not_read_to_its_end_is_no_fault(typed: list[str]) -> None:
    script = '{ "$@"; echo "exit $?" >&2; } | true'
    command = ["sh", "-c", script, "sh", sys.executable, "-u", "tasks.py", *typed]

    finished = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, check=True)

    assert finished.stderr == f"exit {shell.BROKEN_PIPE}\n"


@pytest.mark.bash
@pytest.mark.parametrize(
    ("typed", "completed"),
    [("inv db.mig", "db.migrate"), ("./inv db.revi", "db.revision"), ("inv db.migrate --dr", "--dry-run")],
)
def test_bash_completes_a_name(typed: str, completed: str) -> None:
    """The test calls the registered completion function, as bash does. It finds `inv` on PATH."""
    script = f"""
        eval "$(./inv --print-completion-script bash)"
        COMP_WORDS=({typed})
        $(complete -p inv | sed 's/.*-F \\([^ ]*\\).*/\\1/') inv {typed.split()[-1]}
        echo "${{COMPREPLY[@]}}"
    """
    finished = subprocess.run(
        ["bash", "-c", script],
        cwd=paths.ROOT, env=shell.environment({}), capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert finished.stdout == f"{completed}\n", finished.stderr


@pytest.mark.parametrize("task", ["db.status", "db.revision", "run"])
def test_help_behind_a_task_is_its_help(task: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Guard against invoke, which would run a task with a required argument and pass it `--help`."""
    with pytest.raises(SystemExit, match=r"^0$"):
        program.Program(namespace).run(["inv", task, "--help"])

    assert program.example(namespace[task]) in capsys.readouterr().out
