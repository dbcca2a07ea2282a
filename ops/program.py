"""What `inv` itself says: the table of contents, and one line where a task or an option is not understood."""

import errno
import re
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import invoke
from invoke.collection import Collection
from invoke.exceptions import Exit, ParseError
from invoke.parser.context import ParserContext
from invoke.program import Program as Invoke
from invoke.util import helpline

from ops import shell

UNKNOWN_IS = "No idea what '{}' is!"
UNKNOWN = re.compile(r"""No idea what ['"](.*)['"] is!""")
MISSING = re.compile(r"'.*' did not receive required positional arguments: (.*)")
WITHOUT_VALUE = re.compile(r"Flag <Argument: ([\w-]+).*> needed value and was not given one!")
OPTION = re.compile(r"--?[a-z][\w-]*")
NO_NUMBER = re.compile(r"invalid literal for int\(\) with base 10: (.*)")
LIKE = 0.65  # of 1, where one name stands for another that was meant; difflib's 0.6 takes `routes` for `test`
REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT)
Rows = list[tuple[str, str | None]]


class Program(Invoke):
    """Of one namespace; `python -m invoke`, which knows nothing of it, runs the same tasks with invoke's own words."""

    namespace: Collection

    def __init__(self, namespace: Collection) -> None:
        super().__init__(
            version=invoke.__version__, name="Invoke", binary="inv", binary_names=["inv"], namespace=namespace
        )

    def list_flat(self) -> None:
        """In the order in which the tasks are declared; invoke's own is that of the alphabet."""
        sections = list(self._sections())
        width = max(len(name) for _, rows in sections for name, _ in rows)
        print("inv --help TASK tells more of a task, with an example.\n")
        for heading, rows in sections:
            if heading:
                print(heading)
            self.print_columns([(name.ljust(width), text) for name, text in rows])

    def _sections(self) -> Iterator[tuple[str, Rows]]:
        if self.list_root:
            yield purpose(self.scoped_collection), _rows(self.scoped_collection, f"{self.list_root}.")
            return
        yield "", _rows(self.collection)
        collections = self.collection.collections.items()
        if self.list_depth == 1:
            yield "", [(name, purpose(each)) for name, each in collections]
        else:
            yield from ((purpose(each), _rows(each, f"{name}.")) for name, each in collections)

    def no_tasks_given(self) -> None:
        """List the tasks; `inv --help` shows invoke's own options too."""
        with shell.reader_may_leave():
            self.list_tasks()
        raise Exit

    def execute(self) -> None:
        """Raises Exit with the path where the system refuses a file: the disk is full, or it cannot be written."""
        try:
            super().execute()
        except OSError as error:
            if error.errno not in REFUSED:
                raise
            raise Exit(
                f"{error.filename or 'a file'}: {error.strerror}: inv doctor looks for the reason", code=1
            ) from None

    def parse_core_args(self) -> None:
        with self._explaining():
            super().parse_core_args()

    def parse_tasks(self) -> None:
        with self._explaining(), shell.reader_may_leave():
            super().parse_tasks()
            for context in self.tasks:
                self._look_for_an_eaten_option(context)

    def _look_for_an_eaten_option(self, context: ParserContext) -> None:
        """invoke takes `--help`, or an option that is mistyped, for the value of an argument that has none yet."""
        for option in _eaten(context):
            if option not in ("--help", "-h"):
                raise ParseError(UNKNOWN_IS.format(option), context)
            self.print_task_help(context.name or "")
            raise Exit

    def parse_cleanup(self) -> None:
        root = self.args.list.value
        if isinstance(root, str) and root not in self.namespace.collections:
            raise ParseError(f"inv: no collection {root}: there are {', '.join(self.namespace.collections)}")
        with self._explaining(), shell.reader_may_leave():
            super().parse_cleanup()

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except ParseError as problem:
            raise ParseError(f"inv: {explained(problem, self.namespace)}", problem.context) from None
        except ValueError as problem:  # of the core options, whose numbers invoke does not look at
            if wrong := NO_NUMBER.fullmatch(str(problem)):
                raise ParseError(f"inv: an option should be a whole number, got {wrong[1]}") from None
            raise


def explained(problem: ParseError, namespace: Collection) -> str:
    """What invoke's parser complains of, with what to type instead."""
    text, context = str(problem), problem.context
    name = (context and context.name) or ""
    if found := UNKNOWN.fullmatch(text):
        for option in [found[1]] if OPTION.fullmatch(found[1]) else _eaten(context):
            return _unknown_option(option, context, namespace)
        return _unknown_task(found[1], name, namespace)
    if found := MISSING.fullmatch(text):
        return f"{name} needs {found[1]}{_example(name, namespace)}"
    if found := WITHOUT_VALUE.fullmatch(text):
        return f"{name} --{found[1]} needs a value{_example(name, namespace)}".strip()
    return text


def purpose(collection: Collection) -> str:
    return helpline(collection) or ""


def example(task: object) -> str:
    """A command line: the last line of the task's docstring."""
    return (task.__doc__ or "").strip().rpartition("Example: ")[2]


def _nearest(name: str, known: Iterable[str]) -> list[str]:
    """One, or none that is like it."""
    from difflib import get_close_matches

    return get_close_matches(name, known, 1, LIKE)


def _rows(collection: Collection, prefix: str = "") -> Rows:
    return [(f"{prefix}{name}", helpline(task)) for name, task in collection.tasks.items()]


def _unknown_task(name: str, after: str, namespace: Collection) -> str:
    known = list(namespace.task_names)
    if name in namespace.collections:
        return f"{name} is a collection of tasks: inv --list {name} shows them"
    short = [each for each in known if "." not in each]
    if near := _nearest(name, short) or [each for each in known if each.endswith(f".{name}")] or _nearest(name, known):
        return f"no task {name}: did you mean {' or '.join(near)}?  inv --list shows all"
    if after:
        return f"{after} has no use for {shlex.quote(name)}, and no task is called so{_example(after, namespace)}"
    return f"no task {name}: inv --list shows all"


def _unknown_option(option: str, context: ParserContext | None, namespace: Collection) -> str:
    name = (context and context.name) or ""
    known = [*context.flags, *context.inverse_flags] if context else []
    lacks = f"{name} has no option {option}" if name else f"no option {option}"
    if near := _nearest(option, known):
        return f"{lacks}: did you mean {near[0]}?"
    return lacks + (_example(name, namespace) or ": inv --help shows all")


def _eaten(context: ParserContext | None) -> list[str]:
    values = [str(argument.value) for argument in context.positional_args] if context else []
    return [value for value in values if OPTION.fullmatch(value)]


def _example(name: str, namespace: Collection) -> str:
    return f", as in: {example(namespace[name])}" if name else ""
