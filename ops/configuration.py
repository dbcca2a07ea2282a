"""config/NAME.json: read, checked against config/schema.json, and completed from the environment and secret files.

A variable that is set wins over the file. A secret is a name in the file and a value elsewhere: in the environment,
in /run/secrets/NAME, or in .local/secrets/CONFIGURATION/NAME.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from invoke.exceptions import Exit

from ops import coherence, project, schema

MOUNTED_SECRETS = Path("/run/secrets")
GENERATED_BYTES = 32
Document = dict[str, Any]


class InvalidConfiguration(Exit):
    """Every problem found, a line each, with the place and what was expected there; ends a task with code 1."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems), code=1)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(self.problems)


@dataclass(frozen=True)
class Value:
    text: str
    source: str
    secret: bool = False

    def __repr__(self) -> str:
        return f"Value({'***' if self.secret else self.text!r}, {self.source!r})"


@dataclass(frozen=True)
class Configuration:
    name: str
    values: dict[str, Value]
    images: dict[str, str]
    longest_blocked_ms: int
    """How long a migration may keep a query waiting."""
    document: Document
    """The file as it is, for the sections that it has in production only."""

    def __getitem__(self, name: str) -> str:
        return self.values[name].text

    @property
    def environment(self) -> dict[str, str]:
        """What a process of the service finds in its environment."""
        return {name: value.text for name, value in self.values.items()}

    def changed(self, source: str, **values: object) -> "Configuration":
        """The same with other values, for a server that is elsewhere than the file says."""
        changed = {name: Value(_text(value), source, self.values[name].secret) for name, value in values.items()}
        return replace(self, values={**self.values, **changed})

    def as_owner(self) -> "Configuration":
        """The same as the role that owns the tables, where that is another one than the service has."""
        role = self.document["migrations"].get("role")
        if role is None:
            return self
        password = self.values["MIGRATOR_PASSWORD"].text
        return self.changed("migrations/role", POSTGRES_USER=role, POSTGRES_PASSWORD=password)


def names() -> list[str]:
    return sorted(path.stem for path in project.CONFIG.glob("*.json") if path.name != schema.PATH.name)


def load(
    name: str | None = None,
    environ: Mapping[str, str] = os.environ,
    secret_folders: tuple[Path, ...] | None = None,
    missing_secrets: Literal["generate", "refuse", "show"] | None = None,
) -> Configuration:
    """The configuration called `name`, else the one that APPLICATION_CONFIG names, else development's.

    Missing secrets are generated into the last of the folders, unless they are production's: those belong to
    somebody. Raises InvalidConfiguration.
    """
    name = name or environ.get("APPLICATION_CONFIG") or "development"
    path = project.CONFIG / f"{name}.json"
    if name not in names():
        raise InvalidConfiguration(
            [f"{project.shown(path)}: there is no such file; APPLICATION_CONFIG names one of {', '.join(names())}"]
        )
    document = read(path)
    _refuse(_problems(path, document))
    flask_config = environ.get("FLASK_CONFIG", document["environment"]["FLASK_CONFIG"])
    known = schema.settings(flask_config)
    variables = {key: schema.typed(key, environ[key], flask_config) for key in known if key in environ}
    problems = schema.problems({**document, "environment": {**document["environment"], **variables}})
    _refuse([f"the variable {place.removeprefix('environment/')}: {fault}" for place, fault in problems.items()])

    values = {key: Value(_text(rule["default"]), "default") for key, rule in known.items() if "default" in rule}
    values |= {key: Value(_text(value), project.shown(path)) for key, value in document["environment"].items()}
    values |= {key: Value(_text(value), "environment") for key, value in variables.items()}

    folders = secret_folders or (MOUNTED_SECRETS, project.LOCAL / "secrets" / name)
    secret_values = {key: _find_secret(key, environ, folders) for key in document["secrets"]}
    missing = [key for key, value in secret_values.items() if value is None]
    match missing_secrets or ("refuse" if flask_config == "production" else "generate"):
        case "refuse":
            places = " or ".join(project.shown(folder) for folder in folders)
            remedy = f"set the variable, or write the file in {places}"
            _refuse([f"{project.shown(path)}: secrets/{key}: has no value: {remedy}" for key in missing])
        case "generate":
            secret_values |= {key: _generate_secret(folders[-1] / key) for key in missing}
    _refuse(
        [
            f"the secret {key}: {fault}, in the {value.source}"
            for key, value in secret_values.items()
            if value and (fault := schema.problem_of_secret(key, value.text, flask_config))
        ]
    )
    unknown = Value("", "no value yet", secret=True)
    values |= {key: value or unknown for key, value in secret_values.items()}
    return Configuration(name, values, document["images"], int(document["migrations"]["longest_blocked_ms"]), document)


def find_problems() -> list[str]:
    """Every problem of every file."""
    problems: list[str] = []
    images: dict[str, str] = {}
    for name in names():
        path = project.CONFIG / f"{name}.json"
        where = project.shown(path)
        try:
            document = read(path)
        except InvalidConfiguration as invalid:
            problems += invalid.problems
            continue
        found = _problems(path, document)
        problems += found
        if not found:
            images[where] = document["images"]["postgres"]
    first = next(iter(images), "")
    for where, image in images.items():  # what a test proves on one PostgreSQL holds on no other
        if image != images[first]:
            expected, got = json.dumps(images[first]), json.dumps(image)
            problems.append(f"{where}: images/postgres: should be that of {first}, {expected}, got {got}")
    return problems


def read(path: Path) -> Document:
    """The file's object. Raises InvalidConfiguration where it is not JSON, or names something twice."""
    where = project.shown(path)
    twice: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> Document:
        keys = [key for key, _ in pairs]
        twice.extend(key for key in dict.fromkeys(keys) if keys.count(key) > 1)
        return dict(pairs)

    try:
        document: Document = json.loads(path.read_text("utf-8"), object_pairs_hook=collect)
    except json.JSONDecodeError as error:
        raise InvalidConfiguration([f"{where}:{error.lineno}:{error.colno}: is not JSON: {error.msg}"]) from None
    except UnicodeDecodeError as error:
        raise InvalidConfiguration([f"{where}: should be UTF-8, got the byte {error.object[error.start]:#x}"]) from None
    except OSError as error:
        raise InvalidConfiguration([f"{where}: cannot be read: {error.strerror}"]) from None
    except RecursionError:
        raise InvalidConfiguration([f"{where}: is nested too deeply"]) from None
    _refuse([f"{where}: names {key} twice" for key in twice])
    return document


def _refuse(problems: list[str]) -> None:
    if problems:
        raise InvalidConfiguration(problems)


def _problems(path: Path, document: Document) -> list[str]:
    where = project.shown(path)
    found = [": ".join(filter(None, (where, place, sentence))) for place, sentence in schema.problems(document).items()]
    return found or [f"{where}: {problem}" for problem in coherence.problems(document)]


def _find_secret(name: str, environ: Mapping[str, str], folders: tuple[Path, ...]) -> Value | None:
    if name in environ:
        return Value(environ[name], "environment", secret=True)
    for folder in folders:
        path = folder / name
        if path.is_file():
            return Value(path.read_text("utf-8").strip(), f"secret file {project.shown(path)}", secret=True)
    return None


def _generate_secret(path: Path) -> Value:
    """Never over one that is there: of two that start at once, both get the first one's."""
    import secrets

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with open(draft, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:  # Path.open takes no mode
        file.write(secrets.token_urlsafe(GENERATED_BYTES))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return Value(path.read_text("utf-8"), f"secret file {project.shown(path)}", secret=True)


def _text(value: object) -> str:
    """As environments hold it, and as Flask, pydantic and Compose read it."""
    if isinstance(value, bool):
        return str(int(value))
    return str(int(value)) if isinstance(value, float) else str(value)
