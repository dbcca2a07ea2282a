"""The one decision about which of the caller's variables reach the tasks, the tests, and the processes they start.

What is not listed here passes: PATH, the locale, proxies, certificates, credentials, the settings of the project, and
the variables that say which Docker Engine to use.
"""

import os
import re
from collections.abc import Iterable, Mapping, MutableMapping

_DROPPED = (
    # git exports the place of its repository, index and configuration to hooks and to `rebase --exec`: a command of
    # git's on another folder would write there. What says who commits, and how a remote is reached, passes.
    r"GIT_(?!(AUTHOR|COMMITTER)_|SSH|SSL|HTTP|PROXY|ASKPASS|TERMINAL_PROMPT|TRACE|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM)$)\w*",
    # libpq takes from these what a connection does not name: another server, user, search path or encoding. How the
    # connection is encrypted and authenticated is the user's to demand of a server elsewhere: see `drop_tls`.
    r"PG(?!SSL|GSS|KRB|CHANNELBINDING|REQUIRE)\w*",
    # Python: which modules it finds, and what their code does. What concerns its output, caches and debugging passes.
    r"PYTHON(HOME|PATH|SAFEPATH|PLATLIBDIR|EXECUTABLE|OPTIMIZE|INSPECT|CASEOK)",
    r"(PIP|UV)_(?!AUDIT_)\w*",  # but for those of INSTALLERS
    # Compose: another file, project name or profile. How many images it pulls in parallel is the user's to say.
    r"COMPOSE_(?!PARALLEL_LIMIT$)\w*",
    # Docker: the old builder knows no `RUN --mount`, and another builder keeps the images to itself.
    r"DOCKER_BUILDKIT|BUILDX_BUILDER",
    # pytest: PYTEST_ADDOPTS passes to `inv test`.
    r"PYTEST_(PLUGINS|DISABLE_PLUGIN_AUTOLOAD)",
    # Other tools that take their project, or their options, from a variable.
    r"ALEMBIC_CONFIG|FLASK_APP|GUNICORN_CMD_ARGS|INVOKE_\w*|TAR_OPTIONS",
)
# uv.lock decides what pip and uv install, and `inv` decides where. The user says how the packages are reached, and how
# they are cached. An index is for pip alone, which fetches uv: for uv, another index than the lock's is a change of the
# lock. `inv` has the same pattern, for the installation.
INSTALLERS = (
    "PIP_(CACHE_DIR|NO_CACHE_DIR|CERT|CLIENT_CERT|CONFIG_FILE|DEFAULT_TIMEOUT|TIMEOUT|RETRIES|PROXY|TRUSTED_HOST"
    "|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|KEYRING_PROVIDER|DISABLE_PIP_VERSION_CHECK)"
    "|UV_(CACHE_DIR|NO_CACHE|CONCURRENT_[A-Z]*|HTTP_[A-Z]*|INSECURE_HOST|KEYRING_PROVIDER|LINK_MODE|LOCK_TIMEOUT"
    "|NATIVE_TLS|SYSTEM_CERTS|NO_PROGRESS|OFFLINE|PYTHON_DOWNLOADS|PYTHON_INSTALL_[A-Z]*|REQUEST_TIMEOUT)"
)
_IS_OF_INSTALLERS = re.compile(INSTALLERS).fullmatch
_IS_DROPPED = re.compile("|".join(_DROPPED)).fullmatch
_IS_OF_TLS = re.compile(r"PG(SSL|GSS|KRB|CHANNELBINDING|REQUIRE)\w*").fullmatch

# Without these, a uv.toml of the user's would change the lock, and a file .env the stack.
SETTINGS = {"UV_NO_CONFIG": "1", "COMPOSE_ENV_FILES": os.devnull, "COMPOSE_MENU": "false"}


def decided(variables: Mapping[str, str]) -> dict[str, str]:
    """Return what reaches a child process of these variables, and the settings that the project makes itself."""
    kept = {name: value for name, value in variables.items() if _IS_OF_INSTALLERS(name) or not _IS_DROPPED(name)}
    return kept | SETTINGS


def enter(variables: MutableMapping[str, str] = os.environ) -> None:
    """Make this process's own environment what a child process gets: libpq reads it here too."""
    kept = decided(variables)
    _drop(variables, [name for name in variables if name not in kept])
    variables.update(SETTINGS)


def drop_tls(variables: MutableMapping[str, str] = os.environ) -> None:
    """Drop what demands TLS of every server, before a connection to one of our own, which speaks none."""
    _drop(variables, filter(_IS_OF_TLS, list(variables)))


def _drop(variables: MutableMapping[str, str], names: Iterable[str]) -> None:
    for name in names:
        del variables[name]
