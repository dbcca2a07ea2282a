"""Tasks that refuse bad input, or a machine that is not ready, in one line."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from groundwork.system.paths import NAME
from packages.groundwork.tests.conftest import Clone
from packages.groundwork.tests.production.running_stack import Stack


@pytest.mark.engine
def test_one_task_at_a_time_works_on_a_stack(stack: Stack) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: stack.inv("prod.build"), range(2)))

    assert sorted(each.returncode for each in both) == [0, 1]
    refused = next(each for each in both if each.returncode)
    assert refused.stderr.endswith("another inv prod task is at work on this stack: wait until it has ended\n")


@pytest.mark.engine
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["prod.scale", "--web", "0"], "--web: should be at least 1, got 0"),
        (["prod.scale", "--web", "50"], "containers/db/max_connections: should be at least "),
        (["prod.deploy", "--tag", "released"], "--tag: released is the name of what serves"),
        (["prod.rollback", "--to", "never"], "there is no image 'never'; kept are: "),
        (["prod.down", "--volumes"], f"nothing was ended: deleting the data wants --yes-i-mean {NAME}"),
        (["prod.restore", "--folder", "/nowhere", "--yes-i-mean", NAME], "/nowhere is no backup"),
    ],
)
def test_bad_input_is_told_in_a_line_and_changes_nothing(stack: Stack, arguments: list[str], complaint: str) -> None:
    before = [each["Id"] for each in stack.containers()]

    refused = stack.inv(*arguments)

    assert refused.returncode == 1
    assert complaint in refused.stderr
    assert "Traceback" not in refused.stderr
    assert [each["Id"] for each in stack.containers()] == before


def test_without_an_engine_a_line_says_what_is_missing(clone: Clone) -> None:
    for task in ("prod.up", "prod.status", "prod.deploy", "prod.backup"):
        refused = clone.inv(task)
        assert refused.returncode == 1
        assert len(refused.stderr.splitlines()) == 1
        assert refused.stderr.startswith("the production stack needs a Docker Engine, and ")


@pytest.mark.engine
def test_a_port_that_is_taken_is_told_before_anything_starts(new_stack: Stack) -> None:
    with socket.create_server(("127.0.0.1", new_stack.port)):
        refused = new_stack.inv("prod.up")

    assert refused.returncode == 1
    assert refused.stderr == (
        f"port {new_stack.port} is taken: end what listens there, or choose another one: PROXY_PORT=… inv prod.up\n"
    )
    assert new_stack.containers() == []


@pytest.mark.engine
def test_a_placeholder_is_refused_before_anything_starts(new_stack: Stack) -> None:
    folder = new_stack.clone.folder / ".local" / "secrets" / "production"
    folder.mkdir(parents=True)
    (folder / "SECRET_KEY").write_text("change-me-before-you-go-live")

    refused = new_stack.inv("prod.up")

    assert refused.returncode == 1
    assert refused.stderr == (
        "the secret SECRET_KEY: should be a real value, not a placeholder, "
        "in the secret file .local/secrets/production/SECRET_KEY\n"
    )
    assert new_stack.containers() == []
    (folder / "SECRET_KEY").unlink()
