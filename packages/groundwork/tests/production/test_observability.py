"""Logs, metrics and status of the stack."""

import json
import re
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from groundwork.system.paths import NAME
from packages.groundwork.tests.conftest import wait_until
from packages.groundwork.tests.production.running_stack import CLIENTS, PASSWORD, PROCESSES, Stack


def metrics(address: str) -> dict[str, float]:
    with urllib.request.urlopen(f"http://{address}:9000/metrics", timeout=5) as answer:
        lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def reads(told: dict[str, float]) -> float:
    return sum(
        value for name, value in told.items() if name.startswith("http_requests_total") and "/api/products" in name
    )


@pytest.mark.engine
def test_one_requests_way_is_found_by_its_id(stack: Stack) -> None:
    twice = {"email": "twice@example.com", "name": "Twice", "password": PASSWORD}
    stack.ask("POST", "/api/users", twice)
    request_id = stack.ask("POST", "/api/users", twice).headers["X-Request-ID"]

    said = stack.ok("prod.logs", "--request", request_id).splitlines()

    lines = [json.loads(line) for line in said if line.startswith("{")]
    assert {line["logger"] for line in lines} == {"proxy", "app.access"}
    assert {line["request_id"] for line in lines} == {request_id}
    by_postgresql = "\n".join(line for line in said if not line.startswith("{"))
    assert "ERROR:  duplicate key value violates unique constraint" in by_postgresql
    assert "STATEMENT:  INSERT INTO users" in by_postgresql
    assert "twice@example.com" not in stack.ok("prod.logs")
    unknown = stack.inv("prod.logs", "--request", "0" * 32)
    assert (unknown.returncode, unknown.stderr) == (
        1, f"no log line contains {'0' * 32}: it may be older than the stored logs\n",
    )  # fmt: skip


@pytest.mark.engine
def test_a_slow_statement_is_found_whole_by_the_request_it_was_for(stack: Stack) -> None:
    request_id = "slow-1"
    stack.sql("app", f"SET application_name = '{request_id}';\nSELECT pg_sleep(0.3)")

    said = stack.ok("prod.logs", "--request", request_id).splitlines()

    assert re.search(rf"app@{NAME} {request_id} LOG:  duration: \d+\.\d+ ms  statement: SET", said[0])
    assert said[1:] == ["\tSELECT pg_sleep(0.3)"]


@pytest.mark.engine
def test_each_replica_counts_exactly_over_all_its_processes_and_goes_on_after_one_was_killed(stack: Stack) -> None:
    replicas = [
        each["NetworkSettings"]["Networks"][f"{stack.project}_data"]["IPAddress"] for each in stack.containers("web")
    ]
    before = [metrics(address) for address in replicas]

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(lambda _: stack.ask("GET", "/api/products").status, range(100)))
    after = [{reads(metrics(address)) for _ in range(10)} for address in replicas]  # whichever of them answers
    processes = stack.ok("prod.exec", PROCESSES).split()
    stack.ok("prod.exec", f"kill -KILL {processes[0]}")
    wait_until(lambda: len({*stack.ok("prod.exec", PROCESSES).split()} | {*processes}) == 3)
    answers += [stack.ask("GET", "/api/products").status for _ in range(20)]

    assert set(answers) == {200}
    assert [len(each) for each in after] == [1, 1]
    assert sum(each.pop() for each in after) == sum(map(reads, before)) + 100
    assert sum(reads(metrics(address)) for address in replicas) == sum(map(reads, before)) + 120
    # The last answer may arrive before its request is counted as done.
    wait_until(lambda: [metrics(address)["http_requests_in_work"] for address in replicas] == [0, 0])
    assert stack.ask("GET", "/metrics").status == 404


@pytest.mark.engine
def test_no_container_says_what_is_secret(stack: Stack) -> None:
    carried = {"Authorization": "Bearer hunter2", "Cookie": "session=hunter2", "Referer": "http://shop/?q=hunter2"}
    person = {"email": "discreet@example.com", "name": "Ada", "password": "hunter2 hunter2"}

    def sent(number: int) -> int:
        body = person if number % 50 == 0 else {name: person[name] for name in ("email", "name")}
        return stack.ask("POST", "/api/users?token=hunter2", body, carried).status

    wait_until(lambda: sent(0) == 201)  # others may have used up what one address may send
    wait_until(lambda: sent(0) == 409)
    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = set(pool.map(sent, range(300)))
    stack.ask("GET", "/api/users/discreet@example.com")
    stack.ask("POST", "/api/users/discreet%40example.com")

    said = stack.ok("prod.logs")
    secrets = [path.read_text() for path in (stack.clone.folder / ".local" / "secrets" / "production").iterdir()]
    assert {422, 429} <= statuses <= {409, 422, 429}
    assert '"path": "/api/users", "status": 429' in said
    assert "duplicate key value" in said
    assert not [each for each in ("hunter2", "discreet@example.com", *secrets) if each in said]


@pytest.mark.engine
def test_status_tells_who_serves_and_whom_the_proxy_asks(stack: Stack) -> None:
    told = stack.ok("prod.status")

    addresses = {
        each["NetworkSettings"]["Networks"][f"{stack.project}_front"]["IPAddress"] for each in stack.containers("web")
    }
    assert re.search(r"web-\d+ +running +healthy", told)
    assert re.search(r"page +http://localhost:\d+ responds\n", told)
    assert set(re.findall(r"[\d.]+", re.findall(r"proxy +forwards to (.*)", told)[0])) == addresses
    assert re.search(r"database +is at \w+ ", told)
