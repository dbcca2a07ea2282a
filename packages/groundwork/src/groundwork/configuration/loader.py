"""Loader for config/NAME.json: validation against config/schema.json, environment variables, secret files.

Environment variables take precedence over the file. The file has the names of secrets only. Their values are in the
environment, in /run/secrets/NAME, or in .local/secrets/CONFIGURATION/NAME.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from groundwork.configuration import rules, schema, sections
from groundwork.configuration.sections import Cloud, Containers, Images, Migrations, Proxy
from groundwork.contract import PROJECT
from groundwork.system import paths
from groundwork.system.errors import Exit

MOUNTED_SECRETS = Path("/run/secrets")
GENERATED_BYTES = 32
WITHOUT_FILES = ("development", "testing")
LONGEST_BLOCKED_MS = 1000
Document = dict[str, Any]
T = TypeVar("T")


class InvalidConfiguration(Exit):
    """Error with all problems, one per line, each with its place and the expectation. Ends a task with code 1."""

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
    document: Document
    """The parsed file."""

    def __getitem__(self, name: str) -> str:
        return self.values[name].text

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment variables of the service."""
        values = {name: value.text for name, value in self.values.items()}
        return {**values, **_database_url(values)}

    @property
    def secrets(self) -> list[str]:
        """Return the names of the secrets."""
        names: list[str] = self.document["secrets"]
        return names

    @property
    def images(self) -> Images:
        return self._section("images", Images)

    @property
    def migrations(self) -> Migrations:
        return self._section("migrations", Migrations)

    @property
    def containers(self) -> Containers:
        return self._section("containers", Containers)

    @property
    def proxy(self) -> Proxy:
        return self._section("proxy", Proxy)

    @property
    def cloud(self) -> Cloud:
        return self._section("cloud", Cloud)

    def has(self, section: str) -> bool:
        return section in self.document

    def with_values(self, source: str, **values: object) -> "Configuration":
        """Return a copy with other values, such as the actual port of a server. `source` says where they come from."""
        replaced = {name: Value(_env_text(value), source, self.values[name].secret) for name, value in values.items()}
        return replace(self, values={**self.values, **replaced})

    def as_owner(self) -> "Configuration":
        """Return a copy that connects as the owner of the tables, if the service connects with another role."""
        role = self.migrations.role
        if not role:
            return self
        password = self.values["MIGRATOR_PASSWORD"].text
        return self.with_values("migrations/role", POSTGRES_USER=role, POSTGRES_PASSWORD=password)

    def _section(self, name: str, section: type[T]) -> T:
        """Return a section. Raises InvalidConfiguration if the file lacks it."""
        if not self.has(name):
            remedy = f"add it; config/{schema.PATH.name} has its entries"
            raise InvalidConfiguration([f"config/{self.name}.json: has no section {name}: {remedy}"])
        return sections.read(section, self.document[name])


def with_database(environment: Mapping[str, str], name: str) -> dict[str, str]:
    """Return the environment variables of the service on another database."""
    changed = {**environment, "APPLICATION_DB": name}
    return {**changed, **_database_url(changed)}


def names() -> list[str]:
    return sorted(path.stem for path in paths.CONFIG.glob("*.json") if path.name != schema.PATH.name)


def load(
    name: str | None = None,
    environ: Mapping[str, str] = os.environ,
    secret_folders: tuple[Path, ...] | None = None,
    missing_secrets: Literal["generate", "refuse", "show"] | None = None,
) -> Configuration:
    """Return the configuration `name`; by default the one named by APPLICATION_CONFIG, or development.

    A project without config/ has `development` and `testing`, with the settings of PostgreSQL only.

    Missing secrets are generated into the last folder, except in production. Raises InvalidConfiguration.
    """
    name = name or environ.get("APPLICATION_CONFIG") or "development"
    if name in WITHOUT_FILES and not paths.CONFIG.is_dir():
        return _without_files(name, environ, secret_folders or (paths.LOCAL / "secrets" / name,))
    path = paths.CONFIG / f"{name}.json"
    if name not in names():
        raise InvalidConfiguration(
            [f"{paths.display(path)}: no such file: set APPLICATION_CONFIG to one of {', '.join(names())}"]
        )
    document = read(path)
    _raise_if_any(_problems(path, document))
    flask_config = environ.get("FLASK_CONFIG", document["environment"]["FLASK_CONFIG"])
    known = schema.settings(flask_config)
    variables = {key: schema.parse_variable(key, environ[key], flask_config) for key in known if key in environ}
    problems = schema.problems({**document, "environment": {**document["environment"], **variables}})
    _raise_if_any([f"the variable {key.removeprefix('environment/')}: {error}" for key, error in problems.items()])

    values = {key: Value(_env_text(rule["default"]), "default") for key, rule in known.items() if "default" in rule}
    values |= {key: Value(_env_text(value), paths.display(path)) for key, value in document["environment"].items()}
    values |= {key: Value(_env_text(value), "environment") for key, value in variables.items()}

    folders = secret_folders or (MOUNTED_SECRETS, paths.LOCAL / "secrets" / name)
    secret_values = {key: _find_secret(key, environ, folders) for key in document["secrets"]}
    missing = [key for key, value in secret_values.items() if value is None]
    match missing_secrets or ("refuse" if flask_config == "production" else "generate"):
        case "refuse":
            locations = " or ".join(paths.display(folder) for folder in folders)
            remedy = f"set the variable, or write the file in {locations}"
            _raise_if_any([f"{paths.display(path)}: secrets/{key}: has no value: {remedy}" for key in missing])
        case "generate":
            secret_values |= {key: _generate_secret(folders[-1] / key) for key in missing}
    _raise_if_any(
        [
            f"the secret {key}: {problem}, in the {value.source}"
            for key, value in secret_values.items()
            if value and (problem := schema.secret_problem(key, value.text, flask_config))
        ]
    )
    missing_value = Value("", "no value yet", secret=True)
    values |= {key: value or missing_value for key, value in secret_values.items()}
    return Configuration(name, values, document)


def _without_files(name: str, environ: Mapping[str, str], secret_folders: tuple[Path, ...]) -> Configuration:
    settings = {
        "FLASK_CONFIG": name,
        "FLASK_DEBUG": str(int(name == "development")),
        "FLASK_RUN_PORT": "5000",
        "LOG_LEVEL": "INFO",
        "POSTGRES_HOST": "localhost",
        "POSTGRES_PORT": "5432",
        "POSTGRES_USER": "postgres",
        "POSTGRES_DB": "postgres",
        "APPLICATION_DB": PROJECT.name,
    }
    required = "POSTGRES_PASSWORD"
    values = {key: Value(text, "default") for key, text in settings.items()}
    values |= {key: Value(environ[key], "environment") for key in settings if key in environ}
    values[required] = _find_secret(required, environ, secret_folders) or _generate_secret(
        secret_folders[-1] / required
    )
    document: Document = {
        "environment": settings,
        "secrets": [required],
        "images": {"postgres": PROJECT.postgres},
        "migrations": {"longest_blocked_ms": LONGEST_BLOCKED_MS},
    }
    return Configuration(name, values, document)


def _database_url(values: Mapping[str, str]) -> dict[str, str]:
    """Return the variable with the database's URL if the application expects one."""
    if not PROJECT.database_url:
        return {}
    user, password, name = (quote(values[key], "") for key in ("POSTGRES_USER", "POSTGRES_PASSWORD", "APPLICATION_DB"))
    address = f"{values['POSTGRES_HOST']}:{values['POSTGRES_PORT']}"
    return {PROJECT.database_url: f"postgresql+psycopg://{user}:{password}@{address}/{name}"}


def find_problems() -> list[str]:
    """Return the problems of all configuration files."""
    problems: list[str] = []
    images: dict[str, str] = {}
    for name in names():
        path = paths.CONFIG / f"{name}.json"
        where = paths.display(path)
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
    for where, image in images.items():  # tests would otherwise prove nothing about the PostgreSQL of production
        if image != images[first]:
            expected, got = json.dumps(images[first]), json.dumps(image)
            problems.append(f"{where}: images/postgres: should be {expected} as in {first}, got {got}")
    return problems


def read(path: Path) -> Document:
    """Return the parsed file. Raises InvalidConfiguration if it is not JSON or has a duplicate key."""
    where = paths.display(path)
    duplicates: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> Document:
        keys = [key for key, _ in pairs]
        duplicates.extend(key for key in dict.fromkeys(keys) if keys.count(key) > 1)
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
    _raise_if_any([f"{where}: the key {key} occurs twice" for key in duplicates])
    return document


def _raise_if_any(problems: list[str]) -> None:
    if problems:
        raise InvalidConfiguration(problems)


def _problems(path: Path, document: Document) -> list[str]:
    where = paths.display(path)
    found = [": ".join(filter(None, (where, key, message))) for key, message in schema.problems(document).items()]
    return found or [f"{where}: {problem}" for problem in rules.problems(document)]


def _find_secret(name: str, environ: Mapping[str, str], folders: tuple[Path, ...]) -> Value | None:
    if name in environ:
        return Value(environ[name], "environment", secret=True)
    for folder in folders:
        path = folder / name
        if path.is_file():
            return Value(
                path.read_text("utf-8", "surrogateescape").strip(), f"secret file {paths.display(path)}", secret=True
            )
    return None


def _generate_secret(path: Path) -> Value:
    """Write a random secret and return it. If another process has written one meanwhile, return that one."""
    import secrets

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths.ignore_local()
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with open(draft, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:  # Path.open has no mode
        file.write(secrets.token_urlsafe(GENERATED_BYTES))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return Value(path.read_text("utf-8"), f"secret file {paths.display(path)}", secret=True)


def _env_text(value: object) -> str:
    """Return the text for an environment variable: 1 or 0 for booleans, no decimal point for whole numbers."""
    if isinstance(value, bool):
        return str(int(value))
    return str(int(value)) if isinstance(value, float) else str(value)
