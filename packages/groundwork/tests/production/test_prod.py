"""`inv prod` on the command line, with a real engine, nginx, gunicorn and PostgreSQL."""

import http.client
import json
import os
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from groundwork.production import cleanup, images
from groundwork.system import ports
from groundwork.system.paths import NAME
from groundwork.testing import requirements
from packages.groundwork.tests.conftest import ROOT, Clone, make_clone, production_secrets, wait_until

CLIENTS = 8
PASSWORD = "correct horse battery staple"
PAUSE = 0.15  # between the requests of one, so that the two cores have time for the stack too
REFUSED = ROOT / "packages/groundwork/src/groundwork/flask/http/static/refused.html"
PROCESSES = "cat /proc/1/task/1/children"  # of gunicorn
KILL_PROXYS_PROCESSES = f"for each in $({PROCESSES}); do grep -q nginx /proc/$each/comm && kill -KILL $each; done"
PROXY_HEARS_OF_NO_DRAINING = (
    "sed -i 's/X-Answered [^ ]*/X-Answered 200/' /tmp/nginx.conf && nginx -c /tmp/nginx.conf -e stderr -s reload"
)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Stack:
    """Production stack of a clone."""

    clone: Clone
    port: int

    def inv(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.clone.inv(*arguments)

    def ok(self, *arguments: str) -> str:
        finished = self.inv(*arguments)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def ask(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            return ask(connection, method, path, body, headers)
        finally:
            connection.close()

    def containers(self, service: str = "") -> list[dict[str, Any]]:
        """Return `docker inspect` of all containers, including exited ones."""
        filters = [f"label=com.docker.compose.project={self.project}"]
        filters += [f"label=com.docker.compose.service={service}"] if service else []
        ids = docker("ps", "--all", "--quiet", *[f"--filter={each}" for each in filters]).split()
        inspected: list[dict[str, Any]] = json.loads(docker("inspect", *ids)) if ids else []
        return inspected

    def sql(self, role: str, statement: str) -> "subprocess.CompletedProcess[str]":
        inside = self.containers("db")[0]["Id"]
        command = ["docker", "exec", inside, "psql", "--username", role, "-AtX", NAME, "--command", statement]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def token(self) -> str:
        """Register a staff account and return its token."""
        self.ok("prod.exec", "flask --app wsgi register-staff clerk@example.com Clerk")
        return self.ok("prod.exec", "flask --app wsgi issue-token clerk@example.com").strip()

    def change_secrets(self, **values: str) -> None:
        for name, value in values.items():
            (self.secrets / name).write_text(value)

    @property
    def copies(self) -> Path:
        """Folder with the copies of files that the containers mount."""
        return self.clone.folder / ".local" / "mounted"

    @property
    def secrets(self) -> Path:
        return self.clone.folder / ".local" / "secrets" / "production"

    @property
    def project(self) -> str:
        from_clone = "from groundwork.production import stack; print(stack.PROJECT)"
        command = [*self.clone.command()[:1], "-c", from_clone]
        return subprocess.check_output(command, cwd=self.clone.folder, text=True).strip()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Yield a running stack with two replicas, for tests that restore its state."""
    stack = make_stack(tmp_path_factory.mktemp("production"))
    try:
        stack.ok("prod.up", "--web", "2")
        yield stack
    finally:
        clear(stack)


@pytest.fixture
def new_stack(tmp_path: Path) -> Iterator[Stack]:
    """Yield a stack that is not up yet."""
    stack = make_stack(tmp_path)
    yield stack
    clear(stack)


def make_stack(place: Path) -> Stack:
    requirements.require("compose")
    clone = make_clone(place / cleanup.claimed_folder())
    subprocess.run(["chmod", "-R", "go=", clone.folder], check=True)  # as under umask 077
    port = ports.any_free()
    environment = {name: value for name, value in clone.environment.items() if name != "DOCKER_HOST"}
    several = {"GUNICORN_WORKERS": "2"}  # where they are of one mind, one is too
    return Stack(replace(clone, environment={**environment, **several, "PROXY_PORT": str(port)}), port)


def clear(stack: Stack) -> None:
    project = stack.project
    down = stack.inv("prod.down", "--volumes", "--yes-i-mean", NAME)
    cleanup.remove_images(project)
    assert down.returncode == 0, down.stderr
    assert stack.containers() == []
    assert docker("volume", "ls", "--quiet", "--filter", f"label=com.docker.compose.project={project}") == ""
    assert docker("network", "ls", "--quiet", "--filter", f"label=com.docker.compose.project={project}") == ""


def metrics(address: str) -> dict[str, float]:
    with urllib.request.urlopen(f"http://{address}:9000/metrics", timeout=5) as answer:
        lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def reads(told: dict[str, float]) -> float:
    return sum(
        value for name, value in told.items() if name.startswith("http_requests_total") and "/api/products" in name
    )


def docker(*arguments: str) -> str:
    return subprocess.check_output(["docker", *arguments], text=True)


def ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: object = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    connection.request(method, path, content, {"Content-Type": "application/json", **(headers or {})})
    answered = connection.getresponse()
    return Answer(answered.status, dict(answered.headers), answered.read())


@pytest.mark.engine
def test_it_serves_the_page_the_api_and_the_static_files(stack: Stack) -> None:
    page, style = stack.ask("GET", "/sign-in"), stack.ask("GET", "/desk/desk.css")
    reference, script = stack.ask("GET", "/api/docs"), stack.ask("GET", "/api/docs/reference.js")

    assert page.status == style.status == stack.ask("GET", "/api/products").status == 200
    assert reference.status == script.status == stack.ask("GET", "/api/openapi.json").status == 200
    assert script.headers["Cache-Control"] == "max-age=3600"
    assert "data:" in reference.headers["Content-Security-Policy"]
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")  # its own, and no other
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Set-Cookie"].startswith("__Host-session=")
    assert style.headers["Cache-Control"] == "max-age=3600"  # which nginx adds: it is not Flask's
    assert page.headers["Server"] == "nginx"
    for answer in (style, reference, script):
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    for answer in (page, style, reference, script):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert stack.ask("GET", "/drainz").status == 404


@pytest.mark.engine
def test_a_person_whom_the_proxy_refuses_gets_a_page_of_the_desk(stack: Stack) -> None:
    refused = stack.ask("POST", "/sign-in", b"x" * 100_000)

    assert refused.status == 413
    assert b"This did not get through" in refused.body
    assert stack.ask("POST", "/api/users", b"x" * 100_000).json["status"] == 413


@pytest.mark.engine
def test_every_container_can_do_no_more_than_it_must(stack: Stack) -> None:
    by_service = {each["Config"]["Labels"]["com.docker.compose.service"]: each for each in stack.containers()}

    assert set(by_service) == {"db", "migrate", "web", "proxy"}
    for service, container in by_service.items():
        host = container["HostConfig"]
        assert host["ReadonlyRootfs"], service
        assert host["CapDrop"] == ["ALL"], service
        assert not host["CapAdd"], service
        assert host["SecurityOpt"] == ["no-new-privileges:true"], service
        assert container["Config"]["User"].split(":")[0] not in ("", "0", "root"), service
        assert host["Memory"] > 0, service
        assert host["NanoCpus"] > 0, service
        assert host["LogConfig"]["Config"].keys() >= {"max-size", "max-file"}, service
        assert service == "migrate" or "curl" not in str(container["Config"]["Healthcheck"]["Test"])
    published = {service for service, each in by_service.items() if each["HostConfig"]["PortBindings"]}
    assert published == {"proxy"}
    assert set(by_service["db"]["NetworkSettings"]["Networks"]) == {f"{stack.project}_data"}
    assert set(by_service["proxy"]["NetworkSettings"]["Networks"]) == {f"{stack.project}_front"}
    assert json.loads(docker("network", "inspect", f"{stack.project}_data"))[0]["Internal"]
    assert not [mount for mount in by_service["web"]["Mounts"] if not mount["Destination"].startswith("/run/secrets/")]


@pytest.mark.engine
def test_the_image_has_what_serves_and_nothing_that_builds(stack: Stack) -> None:
    found = stack.ok(
        "prod.exec", "command -v uv gcc pip pytest ruff inv || true; ls; ls app/__pycache__ | head -n 1; id -u"
    )

    assert "/uv" not in found
    assert "/gcc" not in found
    assert "/pytest" not in found
    assert not {"tests", "packages", "config", "uv.lock"} & set(found.split())
    assert ".pyc" in found
    labels = stack.containers("web")[0]["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"]
    assert labels["org.opencontainers.image.revision"]


@pytest.mark.engine
def test_the_image_can_trace_where_the_configuration_asks_for_it(stack: Stack) -> None:
    path = stack.clone.folder / "config" / "production.json"
    as_it_was = path.read_text()
    document = json.loads(as_it_was)
    document["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://collector:4318"
    path.write_text(json.dumps(document))
    try:
        traced = stack.ok("prod.build", "--tag", "shop/v1.2+traced").split()[-1]
    finally:
        path.write_text(as_it_was)

    served = stack.containers("web")[0]["Image"]
    find = ["python", "-c", "from importlib.util import find_spec; print(find_spec('opentelemetry') is not None)"]
    assert [docker("run", "--rm", image, *find) for image in (traced, served)] == ["True\n", "False\n"]


@pytest.mark.engine
def test_the_service_reads_and_writes_rows_and_does_nothing_else(stack: Stack) -> None:
    assert stack.sql("app", "SELECT count(*) >= 0 FROM users").stdout == "t\n"
    for forbidden in (
        "CREATE TABLE mine (id int)",
        "DROP TABLE users",
        "TRUNCATE users CASCADE",
        "ALTER TABLE users ADD COLUMN mine int",
        "CREATE SCHEMA mine",
        "DELETE FROM alembic_version",
        "DELETE FROM order_events",
        "UPDATE order_lines SET quantity = 1",
        "CREATE TEMPORARY TABLE mine (id int)",
        "COPY users TO PROGRAM 'id'",
        "SET ROLE migrator",
        "ALTER ROLE app SUPERUSER",
    ):
        refused = stack.sql("app", forbidden)
        assert "permission denied" in refused.stderr or "must be owner" in refused.stderr, forbidden
    owners = stack.sql("postgres", "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    assert owners.stdout == "migrator\n"


@pytest.mark.engine
def test_secrets_are_files_and_stand_in_no_environment(stack: Stack) -> None:
    folder = stack.clone.folder / ".local" / "secrets" / "production"
    secrets = {path.name: path.read_text() for path in folder.iterdir()}

    assert set(secrets) == set(production_secrets())
    assert len(set(secrets.values())) == len(secrets)
    told = json.dumps(stack.containers())
    assert not [name for name, value in secrets.items() if value in told]
    inside = stack.ok("prod.exec", "ls /run/secrets; cat /run/secrets/POSTGRES_PASSWORD")
    assert inside.split() == [*sorted(set(secrets) - {"MIGRATOR_PASSWORD"}), secrets["POSTGRES_PASSWORD"]]


@pytest.mark.engine
def test_hostile_requests_are_refused_by_the_proxy(stack: Stack) -> None:
    too_large = stack.ask("POST", "/api/users?x='\"", b"x" * 65 * 1024)
    assert too_large.status == 413
    assert too_large.headers["Content-Type"] == "application/problem+json"
    assert too_large.json["instance"] == "/api/users"
    assert stack.ask("GET", "/api/products", headers={"X-Long": "x" * 40_000}).status == 431
    with ThreadPoolExecutor(CLIENTS) as pool:
        too_long = list(pool.map(lambda _: stack.ask("GET", "/" + "x" * 40_000), range(300)))
        assert {(answer.status, answer.body) for answer in too_long} == {(414, REFUSED.read_bytes())}
        answers = list(pool.map(lambda _: stack.ask("POST", "/api/users", {}).status, range(300)))
    assert set(answers) == {422, 429}
    assert stack.ask("GET", "/api/products").status == 200


@pytest.mark.engine
def test_what_the_proxy_lets_through_the_service_reads(stack: Stack) -> None:
    """Otherwise gunicorn would refuse the request, and its response is no problem document."""
    lengths = [4000, 5000, *range(8100, 8200)]
    addresses = [stack.ask("GET", f"/api/products?x={'x' * length}") for length in lengths]
    headers = [stack.ask("GET", "/api/products", headers={"X-Long": "x" * length}) for length in lengths]
    many = stack.ask("GET", "/api/products", headers={f"X-{number}": "x" for number in range(900)})
    expecting = stack.ask("GET", "/api/products", headers={"Expect": "something"})

    assert {answer.status for answer in addresses} == {414, 422}
    assert {answer.status for answer in headers} == {200, 431}
    assert many.status == expecting.status == 200
    for answer in (*addresses, *headers):
        assert answer.status == 200 or answer.json["status"] == answer.status


@pytest.mark.engine
def test_a_client_that_sends_slowly_is_given_up(stack: Stack) -> None:
    with socket.create_connection(("127.0.0.1", stack.port), timeout=20) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: shop\r\n")

        assert slow.recv(1000) == b""


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


@pytest.mark.engine
def test_a_backup_of_what_serves_is_brought_back_under_it(stack: Stack, tmp_path: Path) -> None:
    stack.ask("POST", "/api/users", {"email": "kept@example.com", "name": "Kept", "password": PASSWORD})
    stack.ok("prod.backup", "--folder", str(tmp_path / "backup"))
    stack.sql("postgres", "DELETE FROM users")

    refused = stack.inv("prod.restore", "--folder", str(tmp_path / "backup"))
    assert refused.returncode == 1
    assert f"refused without --yes-i-mean {NAME}" in refused.stderr
    stack.ok("prod.restore", "--folder", str(tmp_path / "backup"), "--yes-i-mean", NAME)

    assert stack.sql("app", "SELECT name FROM users WHERE email = 'kept@example.com'").stdout == "Kept\n"
    assert stack.ask("GET", "/readyz").status == 200
    for forbidden in ("CREATE TABLE mine (id int)", "DELETE FROM order_events", "CREATE TEMPORARY TABLE mine (id int)"):
        assert "permission denied" in stack.sql("app", forbidden).stderr


@pytest.mark.engine
def test_the_daily_work_that_the_page_schedules_backs_up_and_prunes(stack: Stack) -> None:
    page = (ROOT / "docs" / "production.md").read_text()
    commands = [shlex.split(line) for line in re.findall(r"^ExecStart=\S+/inv (.+)$", page, re.MULTILINE)]
    folder = stack.clone.folder / ".local" / "backups"
    old = [folder / f"production-2026-01-0{day}T03-15-00Z" for day in range(1, 9)]
    for each in old:
        each.mkdir(parents=True)

    ended = [stack.inv(*command) for command in commands]

    assert [each.returncode for each in ended] == [0, 0], [each.stderr for each in ended]
    left = sorted(folder.iterdir())
    assert left[:-1] == old[2:]
    assert (left[-1] / "manifest.json").exists()
    assert '"event": "pruned"' in ended[1].stdout + ended[1].stderr
    shutil.rmtree(folder)


@pytest.mark.engine
def test_scaling_deploying_and_going_back_lose_no_request(new_stack: Stack) -> None:
    up = new_stack.inv("prod.up", "--web", "1")
    assert up.returncode == 0, up.stderr
    assert up.stderr.count("passwords and tokens cross the network in clear") == 1
    secrets = {name: f"another value of {name}" for name in ("MIGRATOR_PASSWORD", "POSTGRES_PASSWORD", "SECRET_KEY")}
    with under_load(new_stack) as answers:
        new_stack.change_secrets(**secrets)
        new_stack.ok("prod.scale", "--web", "3")
        mounted = new_stack.ok("prod.exec", "cat /run/secrets/POSTGRES_PASSWORD /run/secrets/SECRET_KEY")
        assert mounted == secrets["POSTGRES_PASSWORD"] + secrets["SECRET_KEY"]
        new_stack.ok("prod.deploy", "--tag", "second")
        assert versions(new_stack) == {"second"}
        new_stack.ok("prod.rollback")
        assert "second" not in versions(new_stack)
        new_stack.ok("prod.scale", "--web", "1")
    assert len(answers) > 500
    assert {answer for answer in answers if answer not in (200, 201)} == set()
    assert len(new_stack.containers("web")) == 1
    assert len(list(new_stack.copies.iterdir())) == 2  # the secrets of the replica, and the files of the proxy

    web, proxy = new_stack.containers("web")[0]["Id"], new_stack.containers("proxy")[0]["Id"]
    new_stack.ok("prod.up", "--web", "1")
    assert [each["Id"] for each in new_stack.containers("web")] == [web]
    assert [each["Id"] for each in new_stack.containers("proxy")] == [proxy]

    site = new_stack.clone.folder / "compose" / "nginx" / "site.conf"
    site.write_text(site.read_text().replace("expires 1h", "expires 2h"))
    wsgi = new_stack.clone.folder / "wsgi.py"
    wsgi.write_text(f"{wsgi.read_text()}# changed\n")
    new_stack.ok("prod.up", "--web", "1")
    assert new_stack.ask("GET", "/desk/desk.css").headers["Cache-Control"] == "max-age=7200"
    new_stack.ok("prod.rollback")  # to an image whose name the last one has taken
    assert "# changed" not in new_stack.ok("prod.exec", "cat wsgi.py")


@pytest.mark.engine
def test_of_many_images_the_last_are_kept_and_those_of_containers(new_stack: Stack) -> None:
    name, python = f"{new_stack.project}-web", new_stack.clone.command()[0]
    versions = [f"v{number}" for number in range(images.KEPT + 2)]
    release = "import sys; from groundwork.production import images; images.release_now(images.find(sys.argv[1]))"
    for version in versions:
        new_stack.ok("prod.build", "--tag", version)
        subprocess.run([python, "-c", release, version], cwd=new_stack.clone.folder, check=True)
        if version == "v0":
            migrated = docker("create", f"{name}:v0").strip()

    kept = set(docker("images", "--format", "{{.Tag}}", name).split())
    docker("rm", "--volumes", migrated)
    assert kept == {*versions, "previous", "released"} - {"v1"}


@pytest.mark.engine
def test_a_release_that_does_not_get_ready_leaves_the_old_one_serving(new_stack: Stack) -> None:
    new_stack.ok("prod.up", "--web", "2")
    serving = {each["Id"] for each in new_stack.containers("web")}
    wsgi = new_stack.clone.folder / "wsgi.py"
    good = wsgi.read_text()
    wsgi.write_text(f"raise RuntimeError('broken on purpose')\n{good}")
    new_stack.change_secrets(POSTGRES_PASSWORD="another password than before")

    with under_load(new_stack) as answers:
        failed = new_stack.inv("prod.deploy", "--tag", "broken")

    assert failed.returncode == 1
    assert "broken on purpose" in failed.stderr
    assert re.search(r"^serving now: web-1 \(\S+\), web-2 \(\S+\)$", failed.stderr, re.MULTILINE)
    assert {each["Id"] for each in new_stack.containers("web")} == serving
    assert "broken" not in docker("images", "--format", "{{.Tag}}", f"{new_stack.project}-web")  # to be gone back to
    assert set(answers) <= {200, 201}
    new_stack.sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")
    assert {new_stack.ask("GET", "/api/products").status for _ in range(20)} == {200}  # with the password of now
    nowhere = new_stack.inv("prod.rollback")
    assert (nowhere.returncode, "nothing to go back to" in nowhere.stderr) == (1, True)

    wsgi.write_text(good)
    migration = next((new_stack.clone.folder / "alembic" / "versions").glob("*the_first_shop.py"))
    revision = re.search(r'^revision.*"(\w+)"', migration.read_text(), re.MULTILINE)
    assert revision
    bad = migration.with_name("bad.py")
    template = (
        '"""Wrong on purpose."""\n\nfrom alembic import op\n\nrevision = "bad"\n'
        f'down_revision = "{head(new_stack)}"\n\n\ndef upgrade() -> None:\n    op.execute("STATEMENT")\n'
    )
    bad.write_text(template.replace("STATEMENT", "SELECT nonsense"))
    failed = new_stack.inv("prod.deploy")
    assert failed.returncode != 0
    assert 'column "nonsense" does not exist' in failed.stdout + failed.stderr
    assert {each["Id"] for each in new_stack.containers("web")} == serving

    bad.write_text(template.replace("STATEMENT", "ALTER TABLE users ADD COLUMN extra int"))
    with ThreadPoolExecutor(1) as pool:
        lock = "BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600)"
        pool.submit(new_stack.sql, "postgres", lock)
        holder = "FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'users'::regclass"
        wait_until(lambda: new_stack.sql("postgres", f"SELECT count(*) {holder}").stdout == "1\n")
        failed = new_stack.inv("prod.deploy")
        new_stack.sql("postgres", f"SELECT pg_terminate_backend(pid) {holder}")
    assert failed.returncode != 0
    assert "waiting for a lock on users" in failed.stdout + failed.stderr
    assert "serving now: web-1" in failed.stderr
    assert {each["Id"] for each in new_stack.containers("web")} == serving


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


@pytest.mark.engine
def test_with_tls_everybody_is_sent_to_it(new_stack: Stack) -> None:
    path = new_stack.clone.folder / "config" / "production.json"
    document = json.loads(path.read_text())
    document["proxy"]["tls_port"] = ports.any_free()
    path.write_text(json.dumps(document))
    refused = new_stack.inv("prod.up", "--web", "1")
    assert "proxy/tls_port: is set, but secrets lacks TLS_CERTIFICATE and TLS_KEY" in refused.stderr
    document["secrets"] += ["TLS_CERTIFICATE", "TLS_KEY"]
    path.write_text(json.dumps(document))

    up = new_stack.inv("prod.up", "--web", "1")

    assert (up.returncode, "in clear" in up.stderr) == (0, False), up.stderr

    plain = new_stack.ask("POST", "/api/orders?limit=1", {})
    url = f"https://localhost:{document['proxy']['tls_port']}"
    assert plain.status == 308
    assert plain.headers["Location"] == f"{url.replace('localhost', '127.0.0.1')}/api/orders?limit=1"
    folder = new_stack.clone.folder / ".local" / "secrets" / "production"
    trusting = ssl.create_default_context(cafile=str(folder / "TLS_CERTIFICATE"))
    with urllib.request.urlopen(f"{url}/desk/desk.css", context=trusting) as answer:  # noqa: S310  https it is
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    without_forward_secrecy = ssl._create_unverified_context()  # noqa: S323  it is not to connect at all
    without_forward_secrecy.maximum_version = ssl.TLSVersion.TLSv1_2
    without_forward_secrecy.set_ciphers("kRSA:DHE")
    address = ("127.0.0.1", document["proxy"]["tls_port"])
    with socket.create_connection(address) as connection, pytest.raises(ssl.SSLError, match="handshake failure"):
        without_forward_secrecy.wrap_socket(connection)
    assert (folder / "TLS_KEY").stat().st_mode & 0o777 == 0o600
    assert f"page      {url}" in new_stack.ok("prod.status")

    served = ssl.get_server_certificate(("localhost", document["proxy"]["tls_port"]))
    new_stack.change_secrets(TLS_CERTIFICATE="no certificate at all")
    failed = new_stack.inv("prod.up", "--web", "1")
    assert failed.returncode == 1
    assert "cannot load certificate" in failed.stderr
    assert ssl.get_server_certificate(("localhost", document["proxy"]["tls_port"])) == served
    for name in ("TLS_CERTIFICATE", "TLS_KEY"):
        (folder / name).unlink()
    new_stack.ok("prod.up", "--web", "1")
    renewed = ssl.get_server_certificate(("localhost", document["proxy"]["tls_port"]))
    assert served != renewed == (folder / "TLS_CERTIFICATE").read_text()


@pytest.mark.engine
def test_what_never_served_is_ended_where_it_does_not_get_ready(new_stack: Stack) -> None:
    wsgi = new_stack.clone.folder / "wsgi.py"
    good = wsgi.read_text()
    wsgi.write_text(f"raise RuntimeError('broken on purpose')\n{good}")
    failed = new_stack.inv("prod.up", "--web", "1")
    assert failed.returncode == 1
    assert "broken on purpose" in failed.stderr
    assert new_stack.containers() == []

    wsgi.write_text(good)
    new_stack.ok("prod.up", "--web", "1")
    assert new_stack.ask("GET", "/readyz").status == 200


@pytest.mark.engine
def test_the_data_stays_when_the_checkout_moves_and_when_the_secrets_are_lost(new_stack: Stack) -> None:
    new_stack.ok("prod.up", "--web", "1")
    new_stack.ask("POST", "/api/users", {"email": "kept@example.com", "name": "Kept", "password": PASSWORD})
    before, folder = new_stack.containers("db")[0]["Id"], new_stack.clone.folder

    with moved(new_stack, folder.with_name("moved and renamed")) as stack:
        stack.ok("prod.up", "--web", "1")
        running = [each for each in stack.containers() if each["State"]["Running"]]
        mounted = {mount["Source"] for each in running for mount in each["Mounts"] if mount["Type"] == "bind"}
        assert {Path(place).is_relative_to(stack.clone.folder) for place in mounted} == {True}
        assert stack.containers("db")[0]["Id"] == before
        assert len(stack.containers("web")) == 1
        assert stack.sql("app", "SELECT name FROM users").stdout == "Kept\n"
        assert stack.ask("GET", "/api/products").status == 200
    new_stack.ok("prod.down")
    assert new_stack.containers() == []
    assert list(new_stack.copies.iterdir()) == []
    for path in new_stack.secrets.iterdir():
        path.unlink()
    new_stack.ok("prod.up", "--web", "1")

    assert new_stack.sql("app", "SELECT name FROM users").stdout == "Kept\n"


@contextmanager
def moved(stack: Stack, folder: Path) -> Iterator[Stack]:
    """Move the checkout to the folder during the block, and back afterwards."""
    home = stack.clone.folder
    home.rename(folder)
    try:
        yield replace(stack, clone=replace(stack.clone, folder=folder))
    finally:
        folder.rename(home)


@pytest.mark.engine
def test_data_that_is_missing_is_asked_for_before_an_empty_database_takes_its_place(new_stack: Stack) -> None:
    missing = f"{new_stack.project}_pgdata"
    (new_stack.clone.folder / ".local").mkdir(exist_ok=True)
    (new_stack.clone.folder / ".local" / "production.volume").write_text(missing)

    refused = new_stack.inv("prod.up")

    assert refused.returncode == 1
    assert refused.stderr == (
        f"the data of this stack is missing: this engine has no volume {missing}; use the engine that has it "
        f"(DOCKER_HOST, docker context), or start with an empty database: inv prod.up --yes-i-mean {NAME}\n"
    )
    assert new_stack.containers() == []
    new_stack.ok("prod.up", "--web", "1", "--yes-i-mean", NAME)
    assert new_stack.sql("app", "SELECT count(*) FROM users").stdout == "0\n"


@pytest.mark.engine
def test_the_data_moves_to_another_major_version_of_postgresql_or_stays_where_it_was(new_stack: Stack) -> None:
    new_stack.ok("prod.up", "--web", "1")
    new_stack.ask("POST", "/api/users", {"email": "kept@example.com", "name": "Kept", "password": PASSWORD})
    serving = {each["Id"] for each in new_stack.containers()}
    broken = "RUN printf 'echo broken on purpose >&2; exit 1' > /usr/local/bin/docker-entrypoint.sh"

    with simulated_major(new_stack, 20, broken):
        refused, failed = new_stack.inv("prod.up", "--web", "1"), new_stack.inv("prod.upgrade-postgres")
    with simulated_major(new_stack, 19):
        assert {each["Id"] for each in new_stack.containers()} == serving
        assert new_stack.ask("GET", "/readyz").status == 200
        upgraded = new_stack.ok("prod.upgrade-postgres")
        data = docker("exec", new_stack.containers("db")[0]["Id"], "ls", "/var/lib/postgresql").split()
        registered = new_stack.ask("POST", "/api/users", {"email": "n@example.com", "name": "N", "password": PASSWORD})
        new_stack.ok("prod.up", "--web", "1")
    back = new_stack.inv("prod.up", "--web", "1")

    assert (refused.returncode, failed.returncode, back.returncode) == (1, 1, 1)
    assert "images/postgres: should be PostgreSQL 18, as the data in the volume " in refused.stderr
    assert "inv prod.upgrade-postgres" in refused.stderr
    assert "broken on purpose" in failed.stderr
    assert data == ["19", "before-19"]
    assert "the old data is kept in /var/lib/postgresql/before-19" in upgraded
    assert registered.status == 201
    assert new_stack.sql("app", "SELECT name FROM users ORDER BY id").stdout == "Kept\nN\n"
    assert "images/postgres: should be PostgreSQL 19" in back.stderr


@pytest.mark.engine
def test_a_drill_finds_every_order_and_leaves_the_stack_as_it_was(stack: Stack) -> None:
    before = stack.ok("prod.status")

    faults = "deploy,worker,pause,proxy-worker,database-crash,database-disk"
    drilled = stack.inv("prod.drill", "--faults", faults, "--seconds", "3", "--connections", "10", "--rate", "30")

    assert drilled.returncode == 0, drilled.stdout + drilled.stderr
    assert re.search("deploy +2 new, 2 gone .* ✓", drilled.stdout)
    assert re.search("kill a worker +its process is gone .* ✓", drilled.stdout)
    assert re.search("pause a replica +it is paused .* ✓", drilled.stdout)
    assert re.search("kill a worker of the proxy +its process is gone .* ✓", drilled.stdout)
    assert re.search("kill the database +started again .* ✓", drilled.stdout)
    assert re.search("fill the database's disk +0 bytes free .* ✓", drilled.stdout)
    sent = re.search(r"([\d,]+) orders sent, ([\d,]+) acknowledged, ([\d,]+) in the database", drilled.stdout)
    assert sent
    assert sent[1] == sent[2] == sent[3] != "0"
    assert "0 acknowledged and missing, 0 there more than once" in drilled.stdout
    assert "as expected" in (stack.clone.folder / ".local" / "reports" / "drill.html").read_text("utf-8")
    assert versions_and_health(stack.ok("prod.status")) == versions_and_health(before)
    assert stack.sql("postgres", "SELECT count(*) FROM users WHERE email LIKE 'load-%'").stdout == "0\n"
    assert "drill" not in stack.sql("postgres", "SELECT spcname FROM pg_tablespace").stdout


@pytest.mark.engine
def test_a_drill_that_is_interrupted_mends_what_it_has_broken(stack: Stack) -> None:
    drill = subprocess.Popen(
        stack.clone.command("prod.drill", "--faults", "network-all", "--seconds", "5", "--connections", "5"),
        cwd=stack.clone.folder, env=stack.clone.environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    wait_until(lambda: any(not is_whole(each) for each in stack.containers("web")))

    drill.send_signal(signal.SIGINT)

    told, _ = drill.communicate()
    assert drill.returncode == 130, told
    assert all(is_whole(each) for each in stack.containers("web"))
    assert stack.sql("postgres", "SELECT count(*) FROM users WHERE email LIKE 'load-%'").stdout == "0\n"
    wait_until(lambda: stack.ask("GET", "/api/products").status == 200)


def is_whole(container: dict[str, Any]) -> bool:
    """Return whether a replica is on both of its networks."""
    return len(container["NetworkSettings"]["Networks"]) == 2


def versions_and_health(status: str) -> list[list[str]]:
    """Return versions and health per container, without values that change when it is replaced."""
    rows = [line.split()[1:4] for line in status.partition("\n\n")[0].splitlines()[1:]]
    return sorted([cell for cell in row if not re.fullmatch(r"[\d.]+", cell)] for row in rows)  # no addresses


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


class under_load:  # noqa: N801  reads as what it is where it stands
    """Context manager for constant reads and writes; yields a list of response statuses or error names."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._ended = threading.Event()
        self._pool = ThreadPoolExecutor(CLIENTS)
        self._answers: list[int | str] = []
        self._token = {"Authorization": f"Bearer {stack.token()}"}

    def __enter__(self) -> list[int | str]:
        for number in range(CLIENTS):
            self._pool.submit(self._send, number)
        return self._answers

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._pool.shutdown()

    def _send(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._stack.port, timeout=20)
        count = 0
        while not self._ended.is_set():
            count += 1
            try:
                if count % 10:
                    answer = ask(connection, "GET", "/api/products")
                else:
                    sku = f"{number}-{count}-{time.monotonic_ns()}"
                    new = {"sku": sku, "name": "A thing", "price_cents": 1, "stock": 1}
                    answer = ask(connection, "POST", "/api/products", new, self._token)
                self._answers.append(answer.status)
                time.sleep(PAUSE)
            except (OSError, http.client.HTTPException) as error:
                self._answers.append(repr(error))
                connection.close()
        connection.close()


@contextmanager
def simulated_major(stack: Stack, major: int, *further: str) -> Iterator[None]:
    """Configure an image whose data directory is that of the given major version."""
    path = stack.clone.folder / "config" / "production.json"
    configured = path.read_text()
    image = json.loads(configured)["images"]["postgres"]
    simulated = f"{stack.project}-postgres:{major}"
    lines = [f"FROM {image}", f"ENV PGDATA=/var/lib/postgresql/{major}/docker", *further]
    build = ["docker", "build", "--quiet", "--tag", simulated, "-"]
    subprocess.run(build, input="\n".join(lines), text=True, check=True, stdout=subprocess.DEVNULL)
    path.write_text(configured.replace(f'"{image}"', f'"{simulated}"'))
    try:
        yield
    finally:
        path.write_text(configured)


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


def versions(stack: Stack) -> set[str]:
    return {each["Config"]["Labels"]["org.opencontainers.image.version"] for each in stack.containers("web")}


def head(stack: Stack) -> str:
    found = re.search(r"head is (\w+)", stack.ok("prod.status"))
    assert found
    return found[1]
