"""Settings from environment variables and secret files."""

import json
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from app.config import Config, InvalidConfiguration, load

PASSWORD = "p@ss:w/rd%20?#&='\""
COMPLETE = {
    "POSTGRES_HOST": "db.example.com",
    "POSTGRES_PORT": "5433",
    "POSTGRES_USER": "shop",
    "APPLICATION_DB": "shop",
    "POSTGRES_PASSWORD": PASSWORD,
    "SECRET_KEY": "0123456789abcdef",
}
PRODUCTION = json.loads((Path(__file__).parents[2] / "config" / "production.json").read_text("utf-8"))


def test_a_password_of_any_characters_survives_the_url(environment: pytest.MonkeyPatch) -> None:
    url = load("production").database_url

    again = make_url(url.render_as_string(hide_password=False))
    assert again.password == PASSWORD
    assert (again.host, again.port, again.database) == ("db.example.com", 5433, "shop")


def test_the_database_accepts_a_password_of_any_characters(
    run_environment: dict[str, str], environment: pytest.MonkeyPatch
) -> None:
    for name, value in run_environment.items():
        environment.setenv(name, value)
    environment.setenv("APPLICATION_DB", run_environment["POSTGRES_DB"])
    with psycopg.connect(as_uri("testing"), autocommit=True) as connection:
        connection.execute("CREATE ROLE awkward LOGIN PASSWORD 'p@ss:w/rd%20?#&=''\"'")

    environment.setenv("POSTGRES_USER", "awkward")
    environment.setenv("POSTGRES_PASSWORD", PASSWORD)
    with psycopg.connect(as_uri("testing")) as connection:
        assert connection.info.user == "awkward"


def test_a_secret_file_is_read(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.delenv("SECRET_KEY")
    (tmp_path / "SECRET_KEY").write_text("from a file, long enough\n")

    assert load("production", tmp_path).SECRET_KEY.get_secret_value() == "from a file, long enough"


def test_a_variable_wins_over_a_secret_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "SECRET_KEY").write_text("from a file, long enough")

    assert load("production", tmp_path).SECRET_KEY.get_secret_value() == "0123456789abcdef"


def test_all_problems_are_told_at_once(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("POSTGRES_PORT", "54x2")
    environment.setenv("LOG_LEVEL", "LOUD")
    environment.setenv("FLASK_DEBUG", "true")
    environment.setenv("SECRET_KEY", "changeme-changeme-changeme")
    environment.delenv("POSTGRES_HOST")

    with pytest.raises(InvalidConfiguration) as raised:
        load("production")

    names = {line.split(":")[0] for line in str(raised.value).splitlines()}
    assert names == {"POSTGRES_PORT", "LOG_LEVEL", "FLASK_DEBUG", "SECRET_KEY", "POSTGRES_HOST"}
    assert "POSTGRES_PORT: should be a valid integer, unable to parse string as an integer, got '54x2'" in str(
        raised.value
    )
    assert "POSTGRES_HOST: is missing" in str(raised.value)


@pytest.mark.parametrize(
    "placeholder", ["changeme-changeme", "CHANGE_ME_CHANGE_ME", "a placeholder, surely", "<your password here>"]
)
def test_production_takes_no_placeholder_for_a_secret(environment: pytest.MonkeyPatch, placeholder: str) -> None:
    environment.setenv("POSTGRES_PASSWORD", placeholder)

    with pytest.raises(InvalidConfiguration, match="POSTGRES_PASSWORD: should be a real secret"):
        load("production")


def test_development_takes_any(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("POSTGRES_PASSWORD", "x")

    assert load("development").POSTGRES_PASSWORD.get_secret_value() == "x"


@pytest.mark.parametrize("secret", ["hunter2", "<hunter2, still a placeholder>"])
@pytest.mark.parametrize("name", ["POSTGRES_PASSWORD", "SECRET_KEY"])
def test_a_refused_secret_is_not_shown(environment: pytest.MonkeyPatch, name: str, secret: str) -> None:
    environment.setenv(name, secret)

    with pytest.raises(InvalidConfiguration) as raised:
        load("production")

    assert name in str(raised.value)
    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_an_accepted_secret_is_not_shown(environment: pytest.MonkeyPatch) -> None:
    config = load("production")

    shown = f"{config!r} {config} {config.model_dump()} {config.model_dump_json()} {config.database_url!r}"
    assert PASSWORD not in shown
    assert "0123456789abcdef" not in shown


def test_a_name_that_no_class_has_is_told_those_that_have(environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidConfiguration, match="one of production, development, testing, got 'prod'"):
        load("prod")


@pytest.mark.parametrize("name", ["production", "development", "testing"])
def test_flask_gets_what_it_looks_for(environment: pytest.MonkeyPatch, name: str) -> None:
    config = load(name)

    for_flask = config.for_flask()

    assert for_flask["SECRET_KEY"] == "0123456789abcdef"
    assert for_flask["SQLALCHEMY_DATABASE_URI"] == config.database_url
    assert for_flask["TESTING"] is (name == "testing")


def as_uri(config_name: str) -> str:
    return load(config_name).database_url.set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Set a complete environment without the developer's variables."""
    for name in Config.model_fields:
        monkeypatch.delenv(name, raising=False)
    added = PRODUCTION["environment"] | dict.fromkeys(PRODUCTION["secrets"], "0123456789abcdef")
    required = {name: str(added[name]) for name, field in Config.model_fields.items() if field.is_required()}
    for name, value in (required | COMPLETE).items():
        monkeypatch.setenv(name, value)
    return monkeypatch
