"""Compose settings of the production stack."""

import json
from pathlib import Path

import pytest

from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.production import mounted, stack
from groundwork.system import docker, paths
from packages.groundwork.tests import path
from packages.groundwork.tests.conftest import production_secrets

ROOT = paths.ROOT
SECRETS = production_secrets()


def test_the_service_finds_its_settings_in_the_environment_and_no_secret(settings: Configuration) -> None:
    given = json.loads(stack.environments(settings))["services"]

    assert given["web"]["environment"]["POSTGRES_USER"] == "app"
    assert given["web"]["environment"]["GUNICORN_WORKERS"] == "1"
    assert given["migrate"]["environment"] == {**given["web"]["environment"], "POSTGRES_USER": "migrator"}
    assert not set(SECRETS.values()) & set(given["web"]["environment"].values())
    assert not set(SECRETS) & set(given["web"]["environment"])


def test_sizes_and_times_come_from_the_file_and_a_variable_wins(
    settings: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROXY_PORT", "9999")

    told = stack.variables(settings)

    assert (told["WEB_REPLICAS"], told["WEB_MEMORY_MB"], told["PROXY_BODY_KB"]) == ("2", "512", "64")
    assert told["PROXY_PORT"] == "9999"
    assert not set(SECRETS.values()) & set(told.values())


@pytest.mark.parametrize(
    ("programs", "user"),
    [
        ({}, "1234:5678"),
        ({"docker": "echo null; exit 1"}, "1234:5678"),
        ({"docker": """echo '["name=seccomp"]'"""}, "1234:5678"),
        ({"docker": """echo '["name=seccomp", "name=rootless"]'"""}, "0:0"),
    ],
    ids=["no docker", "no engine", "an engine", "a rootless engine"],
)
def test_an_ordinary_user_runs_the_service_unless_the_engine_is_rootless(
    programs: dict[str, str], user: str, settings: Configuration, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("os.getuid", lambda: 1234)
    monkeypatch.setattr("os.getgid", lambda: 5678)
    monkeypatch.setenv("PATH", path.make(tmp_path / "path", **programs))
    monkeypatch.setattr(docker, "user", docker.user.__wrapped__)  # without what it remembers of this machine

    assert stack.user(settings) == user


def test_containers_mount_copies_that_only_their_owner_reads(settings: Configuration, checkout: Path) -> None:
    mounted.write(settings, stack.user(settings))

    folder, copies = checkout / ".local" / "secrets" / "production", mounted.folder(settings)
    for place in (folder, copies):
        files = [path for path in place.iterdir() if path.is_file()]
        assert {path.name: path.read_text() for path in files} == SECRETS
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
        assert place.stat().st_mode & 0o777 == 0o700
    copy, original = mounted.nginx_folder(settings) / "nginx.conf", ROOT / "compose" / "nginx" / "nginx.conf"
    assert copy.read_bytes() == original.read_bytes()


def test_a_file_that_is_no_text_is_replaced_by_the_secret_from_the_environment(
    settings: Configuration, checkout: Path
) -> None:
    file = checkout / ".local" / "secrets" / "production" / "SECRET_KEY"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"\xff\xfe")

    mounted.write(settings, stack.user(settings))

    assert file.read_text() == SECRETS["SECRET_KEY"]


def test_another_secret_is_mounted_from_another_folder_and_what_nothing_mounts_is_deleted(
    settings: Configuration, checkout: Path
) -> None:
    before = mounted.folder(settings)
    mounted.write(settings, stack.user(settings))
    changed = settings.with_values("a test", SECRET_KEY="another key that is long enough")
    mounted.write(changed, stack.user(changed))
    mounted.add_password(before / "POSTGRES_PASSWORD", "new")

    assert (before / "SECRET_KEY").read_text() == SECRETS["SECRET_KEY"]
    assert (mounted.folder(changed) / "SECRET_KEY").read_text() == "another key that is long enough"
    assert (before / "POSTGRES_PASSWORD").read_text().splitlines() == [SECRETS["POSTGRES_PASSWORD"], "new"]
    mounted.forget([f"/wherever/{before.name}/SECRET_KEY"])
    assert list((checkout / ".local" / "mounted").iterdir()) == [before]


def test_where_users_have_no_numbers_the_service_has_its_own(
    settings: Configuration, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows has no numeric user IDs."""
    monkeypatch.delattr("os.getuid")

    mounted.write(settings, stack.user(settings))

    assert stack.user(settings) == settings.containers.web.user


@pytest.fixture
def settings(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Configuration:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    (checkout / "compose").symlink_to(ROOT / "compose")
    return loader.load("production")
