"""The settings of the service: named, typed, and read from the environment and from secret files only."""

import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL

SERVICE = "groundwork"
"""What others know it by."""
SECRET_FILES = Path("/run/secrets")
SHORTEST_SECRET = 16
PLACEHOLDER = r"([Cc]hange|CHANGE).?([Mm]e|ME)|[Pp]laceholder|PLACEHOLDER|^([Ss]ecret|[Pp]assword|TODO|xxx+)$|^<.*>$"

# A network that is cut tells nobody: without these, a request waits for the answer to its query for hours, and the
# server keeps the locks of one that was cut off within its transaction. In milliseconds and seconds: 3 s, since a
# request may then wait 5 s for a name that cannot be resolved, and the proxy gives an answer up after 10.
NOTICE_A_CUT = {"tcp_user_timeout": 3000, "keepalives_idle": 1, "keepalives_interval": 1, "keepalives_count": 2}
OF_THE_SERVER = {
    "tcp_user_timeout": "3s",
    "tcp_keepalives_idle": "1s",
    "tcp_keepalives_interval": "1s",
    "tcp_keepalives_count": "2",
    "lock_timeout": "5s",  # nobody waits for longer: the proxy has given the answer up by then
}


class InvalidConfiguration(ValueError):
    """Holds every problem of a configuration, a line each, as `NAME: what was expected, what was found`."""


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
    """What every environment has in common; its subclasses say what differs."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        case_sensitive=True, extra="ignore", frozen=True, use_attribute_docstrings=True
    )

    FLASK_CONFIG: Literal["production", "development", "testing"]
    """Which of these classes is loaded."""
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
    SECRET_KEY: Secret
    """Signs cookies and tokens."""
    TRUSTED_PROXIES: Annotated[int, Field(ge=0)] = 0
    """How many stand before the service and say whose a request is. 0: nobody, and a client cannot pass for another."""
    DRAIN_FILE: Text = "/dev/shm/draining"  # noqa: S108  a container has its own
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
    def session_cookie(self) -> str:
        return "session"

    def for_flask(self) -> dict[str, object]:
        """These settings under the names that Flask and Flask-SQLAlchemy look for."""
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
                "hide_parameters": not self.FLASK_DEBUG,  # they hold e-mail addresses, and errors are logged
                "connect_args": {
                    "application_name": SERVICE,
                    "connect_timeout": 5,
                    **NOTICE_A_CUT,
                    "options": " ".join(f"-c {name}={value}" for name, value in OF_THE_SERVER.items()),
                },
            },
        }


class ProductionConfig(Config):
    """With what compose/gunicorn.conf.py reads; times are in seconds."""

    FLASK_CONFIG: Literal["production"]
    FLASK_DEBUG: Off = False
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
        """A browser accepts this prefix only over TLS, and only from this host itself."""
        return "__Host-session"


class DevelopmentConfig(Config):
    FLASK_CONFIG: Literal["development"]
    FLASK_RUN_PORT: Port = 5000
    """Where `flask run` itself listens."""
    LOG_FORMAT: Literal["json", "console"] = "console"
    POSTGRES_PASSWORD: SecretStr  # of a database that nobody else reaches: any will do
    SECRET_KEY: SecretStr

    @property
    def session_cookie(self) -> str:
        """Cookies do not depend on the port: without it, servers of two checkouts would share one."""
        return f"session-{self.FLASK_RUN_PORT}"


class TestingConfig(Config):
    FLASK_CONFIG: Literal["testing"]
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "WARNING"


CONFIGS: dict[str, type[Config]] = {
    "production": ProductionConfig,
    "development": DevelopmentConfig,
    "testing": TestingConfig,
}


def load(config_name: str, secret_files: Path = SECRET_FILES) -> Config:
    """Read the class called `config_name`; a variable wins over a secret file.

    Raises InvalidConfiguration, which names every missing or wrong value and shows none of a secret.
    """
    if config_name not in CONFIGS:
        raise InvalidConfiguration(f"FLASK_CONFIG: should be one of {', '.join(CONFIGS)}, got {config_name!r}")
    try:
        return CONFIGS[config_name](
            FLASK_CONFIG=config_name, _secrets_dir=secret_files if secret_files.is_dir() else None
        )
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        raise InvalidConfiguration("\n".join(_sentence(problem) for problem in problems)) from None


def json_schemas() -> dict[str, Any]:
    """What all classes have in common, and each by its FLASK_CONFIG, for those who write configuration files."""
    return {"common": Config.model_json_schema()} | {
        name: config.model_json_schema() for name, config in CONFIGS.items()
    }


def _sentence(problem: Any) -> str:
    name = problem["loc"][0]
    if problem["type"] == "missing":
        return f"{name}: is missing"
    shown = "" if Config.model_fields[name].annotation is SecretStr else f", got {problem['input']!r}"
    message = problem["msg"].removeprefix("Value error, ").replace("Input should", "should")
    return f"{name}: {message}{shown}"
