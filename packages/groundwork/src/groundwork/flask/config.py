"""Typed settings of every service, read from the environment and from secret files only."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL

SECRET_FILES = Path("/run/secrets")
SHORTEST_SECRET = 16
PLACEHOLDER = r"([Cc]hange|CHANGE).?([Mm]e|ME)|[Pp]laceholder|PLACEHOLDER|^([Ss]ecret|[Pp]assword|TODO|xxx+)$|^<.*>$"

# A network failure closes no connection: without these, a request waits hours for the result of its query, and the
# server keeps the locks of a disconnected transaction. In milliseconds and seconds: 3 s, since a request may then wait
# 5 s for a name that cannot be resolved, and the proxy times out after 10 s.
KEEPALIVE_SETTINGS = {"tcp_user_timeout": 3000, "keepalives_idle": 1, "keepalives_interval": 1, "keepalives_count": 2}
SERVER_SETTINGS = {
    "tcp_user_timeout": "3s",
    "tcp_keepalives_idle": "1s",
    "tcp_keepalives_interval": "1s",
    "tcp_keepalives_count": "2",
    "lock_timeout": "5s",  # a longer wait is useless: the proxy has timed out by then
}


class InvalidConfiguration(ValueError):
    """Error with every problem of a configuration, one per line, as `NAME: expected value, actual value`."""


def _a_real_secret(value: SecretStr) -> SecretStr:
    if re.search(PLACEHOLDER, value.get_secret_value()):
        raise ValueError("should be a real secret, got a placeholder")
    if len(value) < SHORTEST_SECRET:
        raise ValueError(f"should have at least {SHORTEST_SECRET} characters, got {len(value)}")
    return value


def _off(value: bool) -> bool:
    if value:
        raise ValueError("should be false")
    return value


Number = Annotated[int, Field(ge=1)]
Text = Annotated[str, Field(min_length=1, json_schema_extra={"not": {"pattern": PLACEHOLDER}})]
Port = Annotated[int, Field(ge=1, le=65535)]
Secret = Annotated[
    SecretStr,
    AfterValidator(_a_real_secret),
    Field(json_schema_extra={"minLength": SHORTEST_SECRET, "not": {"pattern": PLACEHOLDER}}),
]
Off = Annotated[bool, AfterValidator(_off), Field(json_schema_extra={"const": False})]


class Config(BaseSettings):
    """Settings of all environments; subclasses define the differences."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        case_sensitive=True, extra="ignore", frozen=True, use_attribute_docstrings=True
    )

    service: ClassVar[str]
    """Name of the service in PostgreSQL sessions and traces; each project sets it."""

    FLASK_CONFIG: Literal["production", "development", "testing"]
    """Name of the configuration class to load."""
    FLASK_DEBUG: bool = False
    """Switches live reload and the debugger."""
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    LOG_FORMAT: Literal["json", "console"] = "json"
    POSTGRES_HOST: Text
    POSTGRES_PORT: Port = 5432
    POSTGRES_USER: Text
    POSTGRES_DB: Text = "postgres"
    """The maintenance database, from which others are created."""
    APPLICATION_DB: Text
    """The service's own database."""
    POSTGRES_PASSWORD: Secret
    POSTGRES_POOL_SIZE: Number = 5
    """How many connections a process keeps; it never has more."""
    POSTGRES_POOL_TIMEOUT: Number = 5
    """How many seconds a request waits for one of them before it is answered with 503."""
    POSTGRES_STATEMENT_TIMEOUT: Annotated[int, Field(ge=0)] = 0
    """A statement that takes so many seconds is cancelled, and its request answered with 503. 0: never."""
    POSTGRES_IDLE_TIMEOUT: Annotated[int, Field(ge=0)] = 0
    """A transaction in which nothing happens for so many seconds is ended, and its locks with it. 0: never."""
    SECRET_KEY: Secret
    """Signs cookies and tokens."""
    TRUSTED_PROXIES: Annotated[int, Field(ge=0)] = 0
    """How many stand before the service and say whose a request is. 0: nobody, and a client cannot pass for another."""
    DRAIN_FILE: Text = "/dev/shm/draining"  # noqa: S108  each container has its own
    """While this file is there, the process says that it is not ready, and serves on: the proxy leaves it out then."""

    METRICS_PORT: Annotated[int, Field(ge=0, le=65535)] = 0
    """Where Prometheus asks each replica. 0: nowhere, and nothing is counted."""

    OTEL_EXPORTER_OTLP_ENDPOINT: str = ""
    """Where traces are sent to, as in http://collector:4318. Empty: nowhere, and none are made."""
    TRACED_PERCENT: Annotated[int, Field(ge=1, le=100)] = 100
    """How many requests are traced, of those that are not part of a trace already."""

    @property
    def database_url(self) -> URL:
        return URL.create(
            "postgresql+psycopg",
            username=self.POSTGRES_USER,
            password=self.POSTGRES_PASSWORD.get_secret_value(),
            host=self.POSTGRES_HOST,
            port=self.POSTGRES_PORT,
            database=self.APPLICATION_DB,
        )

    @property
    def password_file(self) -> Path | None:
        """The file that POSTGRES_PASSWORD was read from; None if it came from the environment."""
        path = SECRET_FILES / "POSTGRES_PASSWORD"
        return None if "POSTGRES_PASSWORD" in os.environ or not path.is_file() else path

    @property
    def session_cookie(self) -> str:
        return "session"

    def for_flask(self) -> dict[str, object]:
        """Return the settings under the names that Flask and Flask-SQLAlchemy expect."""
        server_settings = {
            **SERVER_SETTINGS,
            "statement_timeout": f"{self.POSTGRES_STATEMENT_TIMEOUT}s",
            "idle_in_transaction_session_timeout": f"{self.POSTGRES_IDLE_TIMEOUT}s",
        }
        return {
            "DEBUG": self.FLASK_DEBUG,
            "TESTING": self.FLASK_CONFIG == "testing",
            "SECRET_KEY": self.SECRET_KEY.get_secret_value(),
            "SESSION_COOKIE_NAME": self.session_cookie,
            "SESSION_COOKIE_SECURE": self.FLASK_CONFIG == "production",
            "SESSION_COOKIE_SAMESITE": "Lax",
            "DRAIN_FILE": self.DRAIN_FILE,
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "SQLALCHEMY_ENGINE_OPTIONS": {
                "pool_size": self.POSTGRES_POOL_SIZE,
                "max_overflow": 0,
                "pool_timeout": self.POSTGRES_POOL_TIMEOUT,
                "hide_parameters": not self.FLASK_DEBUG,  # parameters hold e-mail addresses, and errors are logged
                "connect_args": {
                    "application_name": self.service,
                    "connect_timeout": 5,
                    **KEEPALIVE_SETTINGS,
                    "options": " ".join(f"-c {name}={value}" for name, value in server_settings.items()),
                },
            },
        }


class ProductionConfig(Config):
    """Production settings, including those of compose/gunicorn.conf.py; times are in seconds."""

    FLASK_CONFIG: Literal["production"]
    FLASK_DEBUG: Off = False
    POSTGRES_STATEMENT_TIMEOUT: Annotated[int, Field(ge=0)] = 8
    POSTGRES_IDLE_TIMEOUT: Annotated[int, Field(ge=0)] = 30
    GUNICORN_WORKERS: Number = 1
    """Processes a replica has. Taken from here, since the CPUs that a container sees are the host's."""
    GUNICORN_THREADS: Number = 4
    """Requests that a process answers at the same time."""
    GUNICORN_TIMEOUT: Number = 30
    """A process that has not shown a sign of life for so long is ended, and another started."""
    GUNICORN_GRACEFUL_TIMEOUT: Number = 10
    """How long the requests that are in work may take when a process is told to end."""
    GUNICORN_KEEPALIVE: Number = 75
    """How long an idle connection stays open: longer than the proxy keeps it, or requests meet its end."""
    GUNICORN_MAX_REQUESTS: Number = 50000
    """After about so many a process is replaced by a new one, which gives back what leaked."""

    @property
    def session_cookie(self) -> str:
        """Cookie name with a prefix that browsers accept only over TLS and only from this host."""
        return "__Host-session"


class DevelopmentConfig(Config):
    FLASK_CONFIG: Literal["development"]
    FLASK_RUN_PORT: Port = 5000
    """Where `flask run` itself listens."""
    LOG_FORMAT: Literal["json", "console"] = "console"
    POSTGRES_PASSWORD: SecretStr  # any value will do: nobody else reaches this database
    SECRET_KEY: SecretStr

    @property
    def session_cookie(self) -> str:
        """Cookie name with the port: otherwise the servers of two checkouts would share a cookie."""
        return f"session-{self.FLASK_RUN_PORT}"


class TestingConfig(Config):
    FLASK_CONFIG: Literal["testing"]
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "WARNING"


C = TypeVar("C", bound=Config)


def load(classes: Mapping[str, type[C]], config_name: str, secret_files: Path = SECRET_FILES) -> C:
    """Load the class called `config_name`; an environment variable overrides a secret file.

    Raise InvalidConfiguration, which names every missing or invalid value but shows no secret.
    """
    if config_name not in classes:
        raise InvalidConfiguration(f"FLASK_CONFIG: should be one of {', '.join(classes)}, got {config_name!r}")
    config = classes[config_name]
    try:
        return config(FLASK_CONFIG=config_name, _secrets_dir=secret_files if secret_files.is_dir() else None)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        raise InvalidConfiguration("\n".join(_sentence(config, problem) for problem in problems)) from None


def json_schemas(common: type[Config], classes: Mapping[str, type[Config]]) -> dict[str, Any]:
    """Return the schemas of the common settings and of each class by its FLASK_CONFIG, for configuration files."""
    return {name: config.model_json_schema() for name, config in {"common": common, **classes}.items()}


def _sentence(config: type[Config], problem: Any) -> str:
    name = problem["loc"][0]
    if problem["type"] == "missing":
        return f"{name}: is missing"
    shown = "" if config.model_fields[name].annotation is SecretStr else f", got {problem['input']!r}"
    message = problem["msg"].removeprefix("Value error, ").replace("Input should", "should")
    return f"{name}: {message}{shown}"
