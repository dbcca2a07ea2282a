"""Checks for data of another PostgreSQL major version."""

import subprocess
from pathlib import Path

import pytest

from groundwork.configuration import loader
from groundwork.postgresql import embedded, majors
from groundwork.system.errors import Exit
from groundwork.testing import requirements
from packages.groundwork.tests.conftest import Clone

IMAGE = loader.load("testing", environ={}, missing_secrets="show").images.postgres


@pytest.mark.engine
@pytest.mark.parametrize(
    ("task", "volume", "remedy"),
    [
        (["db.status"], "{}_pgdata", "To start without it: docker volume rm {}_pgdata"),
        (
            ["scenario", "--name", "starter"],
            "{}-scenario-starter",
            "To load it again: docker volume rm {}-scenario-starter",
        ),
    ],
    ids=["development", "scenario"],
)
def test_a_container_does_not_start_on_data_of_an_older_major(
    with_engine: Clone, task: list[str], volume: str, remedy: str
) -> None:
    project = project_of(with_engine)
    volume, remedy = volume.format(project), remedy.format(project)
    make_data(volume, "17")
    try:
        refused = with_engine.inv(*task)
    finally:
        subprocess.run(["docker", "volume", "rm", volume], check=True, capture_output=True)

    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1] == (
        f"images/postgres: should be PostgreSQL 17, as the data in the volume {volume}, got {IMAGE}, which is 18: "
        f"nothing was started. {remedy}. docs/databases.md describes the upgrade"
    )


@pytest.mark.engine
def test_an_upgrade_that_was_killed_leaves_the_older_data_in_force() -> None:
    volume = f"major-{Path(__file__).stat().st_ino}"
    make_data(volume, "18", "19")
    try:
        found = majors.of_volume(IMAGE, volume)
        majors.refuse(IMAGE, volume, "")
    finally:
        subprocess.run(["docker", "volume", "rm", volume], check=True, capture_output=True)

    assert found == [18, 19]


def test_an_embedded_server_does_not_start_on_data_of_another_major(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("17\n")

    with pytest.raises(Exit) as refused:
        embedded.Server(tmp_path / "data", port=0, user="", password="").start()

    assert "got data of PostgreSQL 17: nothing was started. To start without it: rm -r " in str(refused.value)


def make_data(volume: str, *versions: str) -> None:
    """Create data folders on the volume with just enough content to identify their versions."""
    folders = " ".join(f"{each}/docker" for each in versions)
    files = " ".join(f"{each}/docker/PG_VERSION" for each in versions)
    place = ("--volume", f"{volume}:{majors.HOME}", "--workdir", majors.HOME, "--entrypoint", "sh")
    make = f"mkdir -p {folders} && touch {files}"
    subprocess.run(["docker", "run", "--rm", *place, IMAGE, "-c", make], check=True)


def project_of(clone: Clone) -> str:
    command = [*clone.command()[:1], "-c", "from groundwork.system import paths; print(paths.compose_project())"]
    return subprocess.check_output(command, cwd=clone.folder, text=True).strip()


@pytest.fixture
def with_engine(clone: Clone) -> Clone:
    requirements.require("compose")
    del clone.environment["DOCKER_HOST"]
    return clone
