"""Filter for environment variables: which of the caller's reach tasks, tests and child processes.

Variables that are not listed here pass: PATH, the locale, proxies, certificates, credentials, the project's settings,
and the choice of the Docker Engine.
"""

import os
import re
from collections.abc import Iterable, Mapping, MutableMapping

_DROPPED = (
    # git exports its repository, index and configuration to hooks and to `rebase --exec`: a git command on another
    # folder would write to them. The author, the committer and the access to remotes pass.
    r"GIT_(?!(AUTHOR|COMMITTER)_|SSH|SSL|HTTP|PROXY|ASKPASS|TERMINAL_PROMPT|TRACE|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM)$)\w*",
    # libpq completes a connection from these: another server, user, search path or encoding. Variables for encryption
    # and authentication pass, since a remote server may need them: see `drop_tls`.
    r"PG(?!SSL|GSS|KRB|CHANNELBINDING|REQUIRE)\w*",
    # These change which modules Python finds and how code behaves. Variables for output, caches and debugging pass.
    r"PYTHON(HOME|PATH|SAFEPATH|PLATLIBDIR|EXECUTABLE|OPTIMIZE|INSPECT|CASEOK)",
    r"(PIP|UV)_(?!AUDIT_)\w*",  # except INSTALLERS
    # Compose would use another file, project name or profile. The limit for parallel pulls passes.
    r"COMPOSE_(?!PARALLEL_LIMIT$)\w*",
    # Docker: the legacy builder lacks `RUN --mount`, and images of another builder stay out of the engine.
    r"DOCKER_BUILDKIT|BUILDX_BUILDER",
    # pytest: PYTEST_ADDOPTS passes to `inv test`.
    r"PYTEST_(PLUGINS|DISABLE_PLUGIN_AUTOLOAD)",
    # Other tools that read their project or their options from a variable.
    r"ALEMBIC_CONFIG|FLASK_APP|GUNICORN_CMD_ARGS|INVOKE_\w*|TAR_OPTIONS",
)
# uv.lock decides what pip and uv install, and `inv` decides where. The user decides about network access and caches.
# Only pip, which installs uv, may have another index: for uv, another index than the one in the lock changes the lock.
# The script `inv` repeats this pattern for the installation.
INSTALLERS = (
    "PIP_(CACHE_DIR|NO_CACHE_DIR|CERT|CLIENT_CERT|CONFIG_FILE|DEFAULT_TIMEOUT|TIMEOUT|RETRIES|PROXY|TRUSTED_HOST"
    "|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|KEYRING_PROVIDER|DISABLE_PIP_VERSION_CHECK)"
    "|UV_(CACHE_DIR|NO_CACHE|CONCURRENT_[A-Z]*|HTTP_[A-Z]*|INSECURE_HOST|KEYRING_PROVIDER|LINK_MODE|LOCK_TIMEOUT"
    "|NATIVE_TLS|SYSTEM_CERTS|NO_PROGRESS|OFFLINE|PYTHON_DOWNLOADS|PYTHON_INSTALL_[A-Z]*|REQUEST_TIMEOUT)"
)
_is_installer_variable = re.compile(INSTALLERS).fullmatch
_is_dropped = re.compile("|".join(_DROPPED)).fullmatch
_is_tls_variable = re.compile(r"PG(SSL|GSS|KRB|CHANNELBINDING|REQUIRE)\w*").fullmatch

# Without these, the user's uv.toml would change the lock, and a file .env the stack.
SETTINGS = {"UV_NO_CONFIG": "1", "COMPOSE_ENV_FILES": os.devnull, "COMPOSE_MENU": "false"}


def filtered(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a child process gets, with the project's own SETTINGS."""
    kept = {name: value for name, value in variables.items() if _is_installer_variable(name) or not _is_dropped(name)}
    return kept | SETTINGS


def enter(variables: MutableMapping[str, str] = os.environ) -> None:
    """Filter the environment of this process too: libpq reads it here."""
    kept = filtered(variables)
    _drop(variables, [name for name in variables if name not in kept])
    variables.update(SETTINGS)


def drop_tls(variables: MutableMapping[str, str] = os.environ) -> None:
    """Drop the variables that require TLS, before a connection to a local server, which has no TLS."""
    _drop(variables, filter(_is_tls_variable, list(variables)))


def _drop(variables: MutableMapping[str, str], names: Iterable[str]) -> None:
    for name in names:
        del variables[name]
