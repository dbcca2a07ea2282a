"""Validation of configuration files, and precedence of the sources of values."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration, InvalidConfiguration
from groundwork.system import paths
from packages.groundwork.tests.conftest import production_secrets

Document = dict[str, Any]
SECRETS = production_secrets()
MAY_BE_SECRETS = ", ".join(f'"{name}"' for name in sorted({*SECRETS, "TLS_CERTIFICATE", "TLS_KEY"}))


def test_the_committed_files_have_no_problem() -> None:
    assert loader.find_problems() == []


def _set(name: str, value: object) -> Callable[[Document], None]:
    return lambda document: document["environment"].__setitem__(name, value)


def _drop(name: str) -> Callable[[Document], None]:
    return lambda document: document["environment"].__delitem__(name)


def _top(name: str, value: object) -> Callable[[Document], None]:
    return lambda document: document.__setitem__(name, value)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_set("POSTGRES_PORT", "54x2"), 'environment/POSTGRES_PORT: should be an integer, got "54x2"'),
        (_set("POSTGRES_PORT", "5432"), 'environment/POSTGRES_PORT: should be an integer, got "5432"'),
        (_set("POSTGRES_PORT", 54.5), "environment/POSTGRES_PORT: should be an integer, got 54.5"),
        (_set("POSTGRES_PORT", True), "environment/POSTGRES_PORT: should be an integer, got true"),
        (_set("POSTGRES_PORT", None), "environment/POSTGRES_PORT: should be an integer, got null"),
        (_set("POSTGRES_PORT", 0), "environment/POSTGRES_PORT: should be at least 1, got 0"),
        (_set("POSTGRES_PORT", 65536), "environment/POSTGRES_PORT: should be at most 65535, got 65536"),
        (_set("POSTGRES_HOST", ""), 'environment/POSTGRES_HOST: should not be empty, got ""'),
        (_set("POSTGRES_HOST", ["db"]), 'environment/POSTGRES_HOST: should be a string, got ["db"]'),
        (
            _set("POSTGRES_USER", "changeme"),
            'environment/POSTGRES_USER: should be a real value, not a placeholder, got "changeme"',
        ),
        (
            _set("POSTGRES_HOST", "<your host>"),
            'environment/POSTGRES_HOST: should be a real value, not a placeholder, got "<your host>"',
        ),
        (_set("FLASK_DEBUG", True), "environment/FLASK_DEBUG: should be false, got true"),
        (_set("FLASK_DEBUG", "no"), 'environment/FLASK_DEBUG: should be a boolean, got "no"'),
        (
            _set("LOG_LEVEL", "verbose"),
            'environment/LOG_LEVEL: should be one of "DEBUG", "INFO", "WARNING", "ERROR", got "verbose"',
        ),
        (
            _set("FLASK_CONFIG", "staging"),
            'environment/FLASK_CONFIG: should be one of "development", "production", "testing", got "staging"',
        ),
        (_set("POSTGRES_PROT", 5432), "environment/POSTGRES_PROT: is unknown; did you mean POSTGRES_PORT?"),
        (_set("FLASK_RUN_PORT", 5000), "environment/FLASK_RUN_PORT: does not exist with this FLASK_CONFIG: remove it"),
        (
            _set("SECRET_KEY", "dGhlIHZhbHVl"),
            'environment/SECRET_KEY: is a secret: add its name to "secrets", and remove its value from the file',
        ),
        (_drop("POSTGRES_HOST"), "environment/POSTGRES_HOST: is missing"),
        (_drop("FLASK_CONFIG"), "environment/FLASK_CONFIG: is missing"),
        (_top("environment", []), "environment: should be an object, got []"),
        (_top("secrets", ["SECRET_KEY"]), "secrets/POSTGRES_PASSWORD: is missing: add it to the list"),
        (_top("secrets", ["SECRET_KEY", "POSTGRES_PASSWORD", "SECRET_KEY"]), "secrets/SECRET_KEY: occurs twice"),
        (_top("secrets", dict(SECRETS)), "secrets: should be an array, got a dict"),
        (
            _top("secrets", ["SECRET_KEY", "POSTGRES_PASSWORD", "SECRET_KEY=dGhl"]),
            f"secrets/2: should be the name of a secret: {MAY_BE_SECRETS}",
        ),
        (_top("images", {}), "images/postgres: is missing"),
        (
            _top("images", {"postgres": "postgres"}),
            'images/postgres: should name a version, as in "postgres:18", got "postgres"',
        ),
        (
            _top("images", {"postgres": "postgres:17", "nginx": "nginx:1.30"}),
            'images/postgres: should be "postgres:18" as in config/development.json, got "postgres:17"',
        ),
        (_top("migrations", {}), "migrations/longest_blocked_ms: is missing"),
        (_top("migrations", 1000), "migrations: should be an object, got 1000"),
        (
            _top("migrations", {"longest_blocked_ms": 0}),
            "migrations/longest_blocked_ms: should be at least 1, got 0",
        ),
        (
            _top("migrations", {"longest_blocked_ms": "1 s"}),
            'migrations/longest_blocked_ms: should be an integer, got "1 s"',
        ),
        (
            _top("migrations", {"longest_blocked": 1000}),
            "migrations/longest_blocked: is unknown; did you mean longest_blocked_ms?",
        ),
        (lambda document: document.pop("migrations"), "migrations: is missing"),
        (lambda document: document.pop("containers"), "containers: is missing"),
        (lambda document: document["images"].pop("nginx"), "images/nginx: is missing"),
        (
            lambda document: document["containers"]["web"].update(replicas=0),
            "containers/web/replicas: should be at least 1, got 0",
        ),
        (
            lambda document: document["proxy"].update(body_kb="64k"),
            'proxy/body_kb: should be an integer, got "64k"',
        ),
        (_top("enviroment", {}), "enviroment: is unknown; did you mean environment?"),
        (lambda document: document.pop("secrets"), "secrets: is missing"),
    ],
)
def test_bad_input_is_reported_with_its_place(
    checkout: Path, change: Callable[[Document], object], problem: str
) -> None:
    document = _document(checkout)
    change(document)
    _write(checkout, json.dumps(document))

    found = loader.find_problems()

    assert f"config/production.json: {problem}" in found
    assert not any(value in line for line in found for value in ("dGhl", *SECRETS.values()))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{\n  "environment": {\n    "POSTGRES_PORT" 5432\n  }\n}', "config/production.json:3:21: is not JSON: "),
        ("", "config/production.json:1:1: is not JSON: "),
        ("[1, 2", "config/production.json:1:6: is not JSON: "),
        ('"text"', 'config/production.json: should be an object, got "text"'),
        ('{"secrets": [], "secrets": []}', "config/production.json: the key secrets occurs twice"),
        ("[" * 100_000, "config/production.json: is nested too deeply"),
        ("\ud800", "config/production.json: should be UTF-8, got the byte 0xed"),
    ],
)
def test_what_is_no_configuration_at_all_is_said_in_a_line(checkout: Path, text: str, problem: str) -> None:
    _write(checkout, text)

    assert [line[: len(problem)] for line in loader.find_problems()] == [problem]


def test_every_problem_of_every_file_is_reported_at_once(checkout: Path) -> None:
    document = _document(checkout)
    document["environment"] |= {"POSTGRES_PORT": "54x2", "LOG_LEVEL": "loud", "COLOUR": "blue"}
    _write(checkout, json.dumps(document))
    (checkout / "config" / "testing.json").write_text("{")

    found = loader.find_problems()

    assert [line.partition(": ")[0] for line in found] == ["config/production.json"] * 3 + ["config/testing.json:1:2"]


def test_a_variable_wins_over_the_file(checkout: Path) -> None:
    settings = _load({"POSTGRES_PORT": "6000", "FLASK_DEBUG": "false"})

    assert settings["POSTGRES_PORT"] == "6000"
    assert settings.values["POSTGRES_PORT"].source == "environment"
    assert settings["FLASK_DEBUG"] == "0"
    assert settings.values["POSTGRES_HOST"].source == "config/development.json"


@pytest.mark.parametrize("port", ["54x2", "", "-1", "٣"])
def test_a_variable_is_held_to_the_rules_of_the_file(checkout: Path, port: str) -> None:
    with pytest.raises(InvalidConfiguration, match=r"^the variable POSTGRES_PORT: should be"):
        _load({"POSTGRES_PORT": port})


@pytest.mark.parametrize("name", ["staging", "schema", "../config/production", "a/b"])
def test_a_configuration_that_is_not_there_is_named_with_those_that_are(checkout: Path, name: str) -> None:
    with pytest.raises(InvalidConfiguration, match=r"one of development, production, testing$"):
        loader.load(name, {})


def test_application_config_says_which_file(checkout: Path) -> None:
    assert loader.load(environ={"APPLICATION_CONFIG": "testing"})["FLASK_CONFIG"] == "testing"
    assert loader.load(environ={})["FLASK_CONFIG"] == "development"


def test_a_secret_comes_from_the_environment_then_the_mounted_then_the_local_file(checkout: Path) -> None:
    mounted, local = checkout / "mounted", checkout / "local"
    for folder in (mounted, local):
        folder.mkdir()
        for name in SECRETS:
            (folder / name).write_text(f"from the folder {folder.name}\n")
    (mounted / "SECRET_KEY").unlink()

    by_file = loader.load("production", {}, (mounted, local))
    by_variable = loader.load("production", {"SECRET_KEY": "from the variable"}, (mounted, local))

    assert by_file["POSTGRES_PASSWORD"] == "from the folder mounted"
    assert by_file["SECRET_KEY"] == "from the folder local"
    assert by_variable["SECRET_KEY"] == "from the variable"


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("changeme", "should be a real value, not a placeholder"),
        ("CHANGE_ME_before_going_live", "should be a real value, not a placeholder"),
        ("fifteen letters", "should have at least 16 characters, got 15"),
        ("the first line\nof two", "should be one line of text, without control characters"),
        ("what psql ends at\0 here", "should be one line of text, without control characters"),
        ("not UTF-8: \udcff\udcfe", "should be one line of text, without control characters"),
    ],
)
@pytest.mark.parametrize("name", ["SECRET_KEY", "MIGRATOR_PASSWORD"])
def test_a_secret_of_production_that_is_none_is_refused_and_not_shown(
    checkout: Path, name: str, value: str, fault: str
) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        loader.load("production", {**SECRETS, name: value})

    assert refused.value.problems == [f"the secret {name}: {fault}, in the environment"]


def test_a_secret_file_that_is_no_text_is_refused_and_a_certificate_has_many_lines(checkout: Path) -> None:
    folder = checkout / "secrets"
    folder.mkdir()
    (folder / "TLS_CERTIFICATE").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    for name, value in SECRETS.items():
        (folder / name).write_bytes(value.encode() + b"\xff\n" * (name == "SECRET_KEY"))
    path = checkout / "config" / "production.json"
    document = json.loads(path.read_text())
    document["secrets"] = sorted({*document["secrets"], "TLS_CERTIFICATE"})
    path.write_text(json.dumps(document))

    with pytest.raises(InvalidConfiguration) as refused:
        loader.load("production", {}, (folder,))

    assert refused.value.problems == [
        "the secret SECRET_KEY: should be one line of text, without control characters, "
        f"in the secret file {paths.display(folder / 'SECRET_KEY')}"
    ]


def test_a_missing_secret_is_generated_once_and_only_its_owner_can_read_it(checkout: Path) -> None:
    first, second = loader.load("development", {}), loader.load("development", {})

    path = checkout / ".local" / "secrets" / "development" / "SECRET_KEY"
    assert first["SECRET_KEY"] == second["SECRET_KEY"] == path.read_text()
    assert len(first["SECRET_KEY"]) >= 32
    assert first["SECRET_KEY"] != first["POSTGRES_PASSWORD"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_generating_never_overwrites(checkout: Path) -> None:
    path = checkout / ".local" / "secrets" / "development" / "SECRET_KEY"
    path.parent.mkdir(parents=True)
    path.write_text("mine")

    assert loader.load("development", {})["SECRET_KEY"] == "mine"
    assert path.read_text() == "mine"


def test_of_two_that_generate_at_once_the_first_wins(checkout: Path) -> None:
    path = checkout / ".local" / "secrets" / "SECRET_KEY"

    first, second = loader._generate_secret(path), loader._generate_secret(path)

    assert first.text == second.text == path.read_text()
    assert [entry.name for entry in path.parent.iterdir()] == ["SECRET_KEY"]


def test_productions_secrets_are_asked_for_all_at_once_and_never_made_up(checkout: Path) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        loader.load("production", {})

    assert [line.split(": ")[1] for line in refused.value.problems] == [f"secrets/{name}" for name in SECRETS]
    assert not (checkout / ".local").exists()


def test_no_representation_shows_a_secret(checkout: Path) -> None:
    settings = _load({})

    assert settings["SECRET_KEY"] == SECRETS["SECRET_KEY"]
    assert not any(value in repr(settings) for value in SECRETS.values())


def _load(variables: dict[str, str]) -> Configuration:
    return loader.load("development", {**SECRETS, **variables})


def _document(checkout: Path) -> Document:
    document: Document = json.loads((checkout / "config" / "production.json").read_text())
    return document


def _write(checkout: Path, text: str) -> None:
    (checkout / "config" / "production.json").write_text(text, encoding="utf-8", errors="surrogatepass")
