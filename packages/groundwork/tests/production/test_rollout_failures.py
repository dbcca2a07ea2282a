"""Rollouts that fail or are interrupted, and replicas that hang or are paused."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest

from packages.groundwork.tests.conftest import wait_until
from packages.groundwork.tests.production.docker_cli import docker
from packages.groundwork.tests.production.running_stack import CLIENTS, PROCESSES, Stack, versions, versions_and_health

KILL_PROXYS_PROCESSES = f"for each in $({PROCESSES}); do grep -q nginx /proc/$each/comm && kill -KILL $each; done"
PROXY_HEARS_OF_NO_DRAINING = (
    "sed -i 's/X-Answered [^ ]*/X-Answered 200/' /tmp/nginx.conf && nginx -c /tmp/nginx.conf -e stderr -s reload"
)


@pytest.mark.engine
def test_a_database_that_does_not_start_tells_why_and_the_one_before_serves_again(stack: Stack) -> None:
    serving = {each["Id"] for each in stack.containers()}
    path = stack.clone.folder / "config" / "production.json"
    good = path.read_text()
    document = json.loads(good)
    document["containers"]["db"].update(max_connections=262_143, memory_mb=600_000)  # too many with its own processes
    path.write_text(json.dumps(document))

    failed = stack.inv("prod.up", "--web", "2")
    path.write_text(good)

    assert failed.returncode == 1
    assert "FATAL:  too many server processes configured" in failed.stderr
    assert failed.stderr.endswith("does not start: the one that served before is started again\n")
    assert {each["Id"] for each in stack.containers()} == serving
    assert stack.ask("GET", "/readyz").status == 200


@pytest.mark.engine
def test_a_deploy_that_is_interrupted_leaves_what_served_and_one_that_is_killed_is_mended(stack: Stack) -> None:
    serving = {each["Id"] for each in stack.containers("web")}

    with deploy_until(stack, "✓ starting") as interrupted:
        os.killpg(interrupted.pid, signal.SIGINT)
        assert interrupted.wait(60) == 130
    assert {each["Id"] for each in stack.containers("web")} == serving

    with deploy_until(stack, "✓ starting") as killed:
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait(60)
    assert {each["Id"] for each in stack.containers("web")} > serving
    assert stack.ask("GET", "/readyz").status == 200

    stack.ok("prod.up", "--web", "2")
    assert len(stack.containers("web")) == 2
    assert stack.ask("GET", "/readyz").status == 200


@pytest.mark.engine
def test_a_replica_that_hangs_is_ended_while_the_others_serve_on(stack: Stack) -> None:
    hung = max(
        stack.containers("web"), key=lambda each: int(each["Config"]["Labels"]["com.docker.compose.container-number"])
    )
    docker("exec", hung["Id"], "sh", "-c", f"kill -STOP $({PROCESSES})")

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = pool.map(lambda _: stack.ask("GET", "/api/products").status, range(20))
        stack.ok("prod.scale", "--web", "1")

    assert {*answers} == {200, 504}
    assert [each["Id"] == hung["Id"] for each in stack.containers("web")] == [False]
    assert {stack.ask("GET", "/api/products").status for _ in range(20)} == {200}
    stack.ok("prod.scale", "--web", "2")


@pytest.mark.engine
def test_a_deploy_replaces_a_paused_replica_and_one_that_a_killed_process_of_the_proxy_asked(stack: Stack) -> None:
    proxy = stack.containers("proxy")[0]["Id"]
    asked, paused = stack.containers("web")
    docker("exec", asked["Id"], "sh", "-c", f"kill -STOP $({PROCESSES})")
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = [pool.submit(stack.ask, "GET", "/api/products") for _ in range(CLIENTS)]
        wait_until(lambda: sum(each.done() for each in answers) >= 2)
        docker("exec", proxy, "sh", "-c", KILL_PROXYS_PROCESSES)
    docker("exec", asked["Id"], "sh", "-c", f"kill -CONT $({PROCESSES})")
    wait_until(lambda: subprocess.run(["docker", "pause", paused["Id"]], check=False).returncode == 0)

    deployed = stack.inv("prod.deploy", "--tag", "replacement")

    assert deployed.returncode == 0, deployed.stderr
    assert versions(stack) == {"replacement"}
    assert len(stack.containers("web")) == 2
    assert {stack.ask("GET", "/api/products").status for _ in range(10)} == {200}


@pytest.mark.engine
def test_a_deploy_whose_old_replicas_are_not_drained_removes_the_new_ones(stack: Stack) -> None:
    proxy = stack.containers("proxy")[0]["Id"]
    serving = {each["Id"]: each["State"]["StartedAt"] for each in stack.containers("web")}
    before = stack.ok("prod.status")
    tools = stack.clone.folder / "packages" / "groundwork" / "src"  # instead of those that are installed
    impatient = replace(stack.clone, environment={**stack.clone.environment, "PYTHONPATH": str(tools)})
    rollout = tools / "groundwork" / "production" / "rollout.py"
    as_it_was = rollout.read_text()
    rollout.write_text(re.sub(r"(SECONDS_TO_BE_\w+ =) \d+", r"\1 1", as_it_was))
    docker("exec", proxy, "sh", "-c", PROXY_HEARS_OF_NO_DRAINING)
    try:
        failed = impatient.inv("prod.deploy", "--tag", "never")
    finally:
        rollout.write_text(as_it_was)
        docker("restart", proxy)

    assert failed.returncode == 1
    assert "the proxy still asks web-" in failed.stderr
    assert {each["Id"]: each["State"]["StartedAt"] for each in stack.containers("web")} == serving
    for number in (each["Config"]["Labels"]["com.docker.compose.container-number"] for each in stack.containers("web")):
        assert re.search(rf"serving now: .*web-{number} ", failed.stderr)
    assert versions_and_health(stack.ok("prod.status")) == versions_and_health(before)
    wait_until(lambda: stack.ask("GET", "/readyz").status == 200)


@contextmanager
def deploy_until(stack: Stack, said: str) -> Iterator["subprocess.Popen[str]"]:
    """Start a deploy of another image in a new process group, and yield it once it has printed `said`."""
    command = stack.clone.command("prod.deploy", "--tag", "another")
    environment = stack.clone.environment
    deploying = subprocess.Popen(
        command, cwd=stack.clone.folder, env=environment, stderr=subprocess.PIPE, text=True, process_group=0
    )
    with deploying:
        assert any(said in line for line in deploying.stderr or ())
        yield deploying
