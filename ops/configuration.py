"""config/NAME.json: read, checked against config/schema.json, and completed from the environment and secret files.

A variable that is set wins over the file. A secret is a name in the file and a value elsewhere: in the environment,
in /run/secrets/NAME, or in .local/secrets/CONFIGURATION/NAME.
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from invoke.exceptions import Exit

from ops import project, schema

MOUNTED_SECRETS = Path("/run/secrets")
GENERATED_BYTES = 32
Document = dict[str, Any]


class InvalidConfiguration(Exit):
    """Every problem found, a line each, with the place and what was expected there; ends a task with code 1."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems), code=1)
        self.problems = problems


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

    def __getitem__(self, name: str) -> str:
        return self.values[name].text

    @property
    def environment(self) -> dict[str, str]:
        """What a process of the service finds in its environment."""
        return {name: value.text for name, value in self.values.items()}

    def changed(self, source: str, **values: object) -> "Configuration":
        """The same with other values, for a server that is elsewhere than the file says."""
        changed = {name: Value(_text(value), source, False) for name, value in values.items()}
        return replace(self, values={**self.values, **changed})


def names() -> list[str]:
    return sorted(path.stem for path in project.CONFIG.glob("*.json") if path != schema.PATH)


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
    if problems := _problems(path, document):
        raise InvalidConfiguration(problems)

    set_here = schema.typed({key: environ[key] for key in schema.settings() if key in environ})
    effective = {**document, "environment": {**document["environment"], **set_here}}
    problems = [
        f"the variable {place.removeprefix('environment/')}: {sentence}"
        for place, sentence in schema.problems(effective).items()
    ]
    if problems:
        raise InvalidConfiguration(problems)
    generated = project.LOCAL / "secrets" / name
    folders = (MOUNTED_SECRETS, generated) if secret_folders is None else secret_folders
    flask_config = effective["environment"]["FLASK_CONFIG"]
    if missing_secrets is None:
        missing_secrets = "refuse" if flask_config == "production" else "generate"

    values = {key: Value(_text(value), "default") for key, value in schema.defaults(flask_config).items()}
    values |= {key: Value(_text(value), project.shown(path)) for key, value in document["environment"].items()}
    values |= {key: Value(_text(value), "environment") for key, value in set_here.items()}
    for key in document["secrets"]:
        value = _find_secret(key, environ, folders)
        if value is None and missing_secrets == "refuse":
            places = " or ".join(project.shown(folder / key) for folder in folders)
            problems.append(f"{project.shown(path)}: secrets/{key}: has no value: set the variable, or write {places}")
        elif value is None and missing_secrets == "generate":
            value = _generate_secret(folders[-1] / key)
        values[key] = value or Value("", "no value yet", secret=True)
    if problems:
        raise InvalidConfiguration(problems)
    return Configuration(name, values, document["images"])


def find_problems(folder: Path = project.CONFIG) -> list[str]:
    """Every problem of every file in the folder."""
    problems: list[str] = []
    images: dict[str, str] = {}
    for path in sorted(folder.glob("*.json")):
        if path.name == schema.PATH.name:
            continue
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
            problems.append(
                f"{where}: images/postgres: should be {json.dumps(images[first])}, as in {first}, got {json.dumps(image)}"
            )
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
    if twice:
        raise InvalidConfiguration([f"{where}: names {key} twice" for key in twice])
    return document


def _problems(path: Path, document: Document) -> list[str]:
    where = project.shown(path)
    return [": ".join(filter(None, (where, place, sentence))) for place, sentence in schema.problems(document).items()]


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
