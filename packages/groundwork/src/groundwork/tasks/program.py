"""Program `inv`: the task list, and one-line errors for unknown tasks and options."""

import errno
import re
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType

import invoke
from invoke.collection import Collection
from invoke.exceptions import Exit, ParseError
from invoke.parser.context import ParserContext
from invoke.program import Program as Invoke
from invoke.util import helpline

from groundwork.system import shell

UNKNOWN_TEXT = "No idea what '{}' is!"
UNKNOWN = re.compile(r"""No idea what ['"](.*)['"] is!""")
MISSING = re.compile(r"'.*' did not receive required positional arguments: (.*)")
WITHOUT_VALUE = re.compile(r"Flag <Argument: ([\w-]+).*> needed value and was not given one!")
OPTION = re.compile(r"--?[a-z][\w-]*")
SIMILARITY = 0.65  # minimum for a suggestion; with difflib's default, 0.6, `routes` would suggest `test`
REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT)
EXTRAS = {"aiohttp": "drill", "boto3": "aws", "botocore": "aws"}
"""Extras of this package by the modules that they install."""
Rows = list[tuple[str, str | None]]


class Program(Invoke):
    """The `inv` program for one namespace. `python -m invoke` runs the same tasks with invoke's own messages."""

    namespace: Collection

    def __init__(self, namespace: Collection) -> None:
        super().__init__(
            version=invoke.__version__, name="Invoke", binary="inv", binary_names=["inv"], namespace=namespace
        )

    def list_flat(self) -> None:
        """Print the tasks in the order of their declaration; invoke itself sorts them by name."""
        sections = list(self._sections())
        width = max(len(name) for _, rows in sections for name, _ in rows)
        print("inv --help TASK explains a task, with an example.\n")
        for heading, rows in sections:
            if heading:
                print(heading)
            self.print_columns([(name.ljust(width), text) for name, text in rows])

    def _sections(self) -> Iterator[tuple[str, Rows]]:
        if self.list_root:
            yield summary(self.scoped_collection), _rows(self.scoped_collection, f"{self.list_root}.")
            return
        yield "", _rows(self.collection)
        collections = self.collection.collections.items()
        if self.list_depth == 1:
            yield "", [(name, summary(each)) for name, each in collections]
        else:
            yield from ((summary(each), _rows(each, f"{name}.")) for name, each in collections)

    def no_tasks_given(self) -> None:
        """List the tasks; invoke itself would print its options."""
        with shell.exit_on_broken_pipe():
            self.list_tasks()
        raise Exit

    def execute(self) -> None:
        """Run the tasks.

        Raises Exit with the extra that a task needs, and with the path of a file that cannot be written, for example on
        a full disk.
        """
        try:
            super().execute()
        except ModuleNotFoundError as error:
            if error.name not in EXTRAS:
                raise
            extra = f"flask-groundwork[{EXTRAS[error.name]}]"
            raise Exit(
                f"{error.name} is not installed: add {extra} to the dependencies of development", code=1
            ) from None
        except OSError as error:
            if error.errno not in REFUSED:
                raise
            raise Exit(
                f"{error.filename or 'a file'}: {error.strerror}: run inv doctor to find the cause", code=1
            ) from None

    def parse_core_args(self) -> None:
        with self._clear_errors():
            super().parse_core_args()

    def parse_tasks(self) -> None:
        with self._clear_errors(), shell.exit_on_broken_pipe():
            super().parse_tasks()
            for context in self.tasks:
                self._reject_option_taken_as_value(context)

    def _reject_option_taken_as_value(self, context: ParserContext) -> None:
        """Show the help, or raise ParseError, for an option that invoke took as a positional argument's value."""
        for option in _options_taken_as_values(context):
            if option not in ("--help", "-h"):
                raise ParseError(UNKNOWN_TEXT.format(option), context)
            self.print_task_help(context.name or "")
            raise Exit

    def parse_cleanup(self) -> None:
        with self._clear_errors(), shell.exit_on_broken_pipe():
            super().parse_cleanup()

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except ParseError as problem:
            raise ParseError(f"inv: {explain(problem, self.namespace)}", problem.context) from None


def collection(name: str, purpose: str, *modules: ModuleType) -> Collection:
    """Return one collection with the tasks of several modules. `inv --list` shows the purpose."""
    merged = Collection(name, *[each for module in modules for each in Collection.from_module(module).tasks.values()])
    merged.__doc__ = purpose
    return merged


def explain(problem: ParseError, namespace: Collection) -> str:
    """Return the parser's error in plain words, with a suggestion of what to type."""
    text, context = str(problem), problem.context
    name = (context and context.name) or ""
    if found := UNKNOWN.fullmatch(text):
        for option in [found[1]] if OPTION.fullmatch(found[1]) else _options_taken_as_values(context):
            return _unknown_option(option, context, namespace)
        return _unknown_task(found[1], name, namespace)
    if found := MISSING.fullmatch(text):
        return f"{name} needs {found[1]}{_example(name, namespace)}"
    if found := WITHOUT_VALUE.fullmatch(text):
        return f"{name} --{found[1]} needs a value{_example(name, namespace)}".strip()
    return text


def summary(collection: Collection) -> str:
    return helpline(collection) or ""


def example(task: object) -> str:
    """Return the example command, which is the last line of the task's docstring."""
    return (task.__doc__ or "").strip().rpartition("Example: ")[2]


def _nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return the most similar name, or nothing."""
    from difflib import get_close_matches

    return get_close_matches(name, known, 1, SIMILARITY)


def _rows(collection: Collection, prefix: str = "") -> Rows:
    return [(f"{prefix}{name}", helpline(task)) for name, task in collection.tasks.items()]


def _unknown_task(name: str, after: str, namespace: Collection) -> str:
    known = list(namespace.task_names)
    if name in namespace.collections:
        return f"{name} is a collection of tasks: inv --list {name} shows them"
    top_level = [each for each in known if "." not in each]
    same = [each for each in known if each.endswith(f".{name}")]
    if near := _nearest(name, top_level) or same or _nearest(name, known):
        return f"no task {name}: did you mean {' or '.join(near)}?  inv --list shows all"
    if after:
        return f"{after} takes no argument {shlex.quote(name)}, and there is no such task{_example(after, namespace)}"
    return f"no task {name}: inv --list shows all"


def _unknown_option(option: str, context: ParserContext | None, namespace: Collection) -> str:
    name = (context and context.name) or ""
    known = [*context.flags, *context.inverse_flags] if context else []
    message = f"{name} has no option {option}" if name else f"no option {option}"
    if near := _nearest(option, known):
        return f"{message}: did you mean {near[0]}?"
    return message + (_example(name, namespace) or ": inv --help shows all")


def _options_taken_as_values(context: ParserContext | None) -> list[str]:
    values = [str(argument.value) for argument in context.positional_args] if context else []
    return [value for value in values if OPTION.fullmatch(value)]


def _example(name: str, namespace: Collection) -> str:
    return f", as in: {example(namespace[name])}" if name else ""
