"""Environment variables of the caller that pass to tasks, tests and their child processes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg.pq import Conninfo

from groundwork.postgresql import embedded
from groundwork.system import environment, paths, shell
from packages.groundwork.tests.conftest import Clone

PATHS = [
    "packages/groundwork/tests/migrations/test_hint.py",
    "packages/groundwork/tests/flask/observability/test_health.py",
]
SOME_TESTS = ["pytest", "-q", "-n0", "--no-cov", *PATHS]
OF_LIBPQ = {
    "PGHOSTADDR": "127.0.0.2",
    "PGSSLMODE": "require",
    "PGSSLNEGOTIATION": "direct",
    "PGSERVICE": "elsewhere",
    "PGOPTIONS": "-c search_path=elsewhere",
    "PGCLIENTENCODING": "nonsense",
}


def test_no_variable_that_names_a_git_repository_passes() -> None:
    listed = subprocess.check_output(["git", "rev-parse", "--local-env-vars"], text=True).split()

    passing = environment.filtered(
        dict.fromkeys([*listed, "GIT_CONFIG_KEY_0", "GIT_NAMESPACE", "GIT_EXTERNAL_DIFF"], "x")
    )

    assert "GIT_DIR" in listed
    assert passing.keys() & set(listed) == set()
    assert passing == environment.SETTINGS


def test_of_the_variables_of_libpq_only_those_of_tls_pass_and_to_our_own_servers_none() -> None:
    known = [option.envvar.decode() for option in Conninfo.get_defaults() if option.envvar]
    variables = dict.fromkeys([*known, "PGSYSCONFDIR", "PGTZ", "PGDATESTYLE", "PG_COLOR"], "x")

    environment.enter(variables)
    passed = set(variables)
    environment.drop_tls(variables)

    assert "PGHOSTADDR" in known
    assert {"PGSSLMODE", "PGSSLROOTCERT", "PGCHANNELBINDING"} <= passed
    assert all(
        re.match("PG(SSL|GSS|KRB|CHANNELBINDING|REQUIRE)", name) for name in passed - environment.SETTINGS.keys()
    )
    assert variables == environment.SETTINGS


@pytest.mark.parametrize(
    "name",
    [
        *("COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES", "DOCKER_BUILDKIT"),
        *("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH", "PYTHONOPTIMIZE", "PYTEST_DISABLE_PLUGIN_AUTOLOAD"),
        *("PIP_USER", "PIP_TARGET", "PIP_NO_DEPS", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXCLUDE_NEWER", "UV_PYTHON"),
        *("UV_CONFIG_FILE", "ALEMBIC_CONFIG", "FLASK_APP", "INVOKE_DEBUG", "GUNICORN_CMD_ARGS", "TAR_OPTIONS"),
        *("BUILDX_BUILDER", "PYTEST_PLUGINS"),
    ],
)
def test_what_another_project_is_told_does_not_pass(name: str) -> None:
    assert name not in environment.filtered({name: "x"})


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "HOME", "LANG", "LC_ALL", "TZ", "HTTPS_PROXY", "no_proxy", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"),
        *("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "AWS_PROFILE", "APPLICATION_CONFIG", "POSTGRES_PORT"),
        *("PIP_INDEX_URL", "PIP_CERT", "PIP_AUDIT_OSV_URL", "UV_CACHE_DIR", "UV_NATIVE_TLS", "UV_OFFLINE"),
        *("PGSSLMODE", "PYTHONUTF8", "PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS", "GIT_AUTHOR_NAME", "GIT_SSH_COMMAND"),
        *("GIT_CONFIG_GLOBAL", "COMPOSE_PARALLEL_LIMIT", "FLASK_RUN_PORT", "GIT_SSL_CAINFO"),
        *("GIT_COMMITTER_NAME", "GIT_HTTP_USER_AGENT", "GIT_PROXY_COMMAND", "GIT_ASKPASS", "GIT_TERMINAL_PROMPT"),
    ],
)
def test_what_the_user_says_of_the_machine_and_of_this_project_passes(name: str) -> None:
    assert environment.filtered({name: "x"})[name] == "x"


@pytest.mark.parametrize(
    ("name", "value"), [("UV_NO_CONFIG", "1"), ("COMPOSE_ENV_FILES", os.devnull), ("COMPOSE_MENU", "false")]
)
def test_a_file_of_the_users_changes_neither_the_lock_nor_the_stack(name: str, value: str) -> None:
    assert environment.filtered({name: "/elsewhere"})[name] == value
    assert environment.filtered({})[name] == value


def test_a_child_process_gets_what_was_decided_and_the_values_of_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("GIT_DIR", "/elsewhere")

    printed = shell.read([sys.executable, "-c", "import os; print(dict(os.environ))"], {"GIT_DIR": "/meant"})

    assert "PYTHONPATH" not in printed
    assert "'GIT_DIR': '/meant'" in printed


def test_the_installation_keeps_the_same_variables_of_pip_and_uv() -> None:
    script = (paths.ROOT / "inv").read_text("utf-8")

    assert "".join(re.findall(r"passing='?\"?(?:\$passing)?(.*?)['\"]\n", script)) == environment.INSTALLERS
    unset = re.findall(r"PYTHON[A-Z]+", next(line for line in script.splitlines() if line.startswith("unset")))
    assert environment.filtered(dict.fromkeys(unset, "x")) == environment.SETTINGS
    assert len(unset) > 5


def test_tests_that_a_hook_of_another_repository_runs_leave_that_repository_and_its_server_alone(
    tmp_path: Path,
) -> None:
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-C", str(tmp_path)]
    for command in (["init", "--quiet"], ["commit", "--quiet", "--allow-empty", "--message", "Begin"]):
        subprocess.run([*git, *command], check=True)
    subprocess.run([*git, "worktree", "add", "--quiet", str(tmp_path / "linked")], check=True)
    before = _state(tmp_path)
    foreign = {"GIT_DIR": str(tmp_path / ".git" / "worktrees" / "linked"), **OF_LIBPQ}

    tested = subprocess.run(
        [sys.executable, "-m", *SOME_TESTS],
        cwd=paths.ROOT, env={**os.environ, **foreign}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert _state(tmp_path) == before


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is an address of this machine on Linux only")
def test_a_task_changes_the_configured_database_and_not_that_of_libpqs_variables(clone: Clone, tmp_path: Path) -> None:
    port, password = int(clone.environment["POSTGRES_PORT"]), "the same as here"
    other = embedded.Server(tmp_path / "other", port, "postgres", password, {"listen_addresses": "127.0.0.2"})
    other.start()
    try:
        clone.environment.update({"POSTGRES_PASSWORD": password, **OF_LIBPQ})

        done = clone.inv("db.reset")
        asked = clone.inv("db.status")

        with psycopg.connect(hostaddr="127.0.0.2", port=port, user="postgres", password=password) as connection:
            there = connection.execute("SELECT datname FROM pg_database WHERE NOT datistemplate").fetchall()
    finally:
        other.stop()
    assert done.returncode == 0, done.stderr
    assert there == [("postgres",)]
    assert "the database is up to date" in asked.stdout, asked.stderr


def _state(repository: Path) -> list[str]:
    """Return the refs, configuration and worktrees of the repository."""
    asked = [["for-each-ref"], ["symbolic-ref", "HEAD"], ["config", "--local", "--list"], ["worktree", "list"]]
    return [subprocess.check_output(["git", *command], cwd=repository, text=True) for command in asked]
