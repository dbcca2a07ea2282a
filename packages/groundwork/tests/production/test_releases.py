"""Releases under load: scaling, deploys, rollbacks, image retention, and releases that do not get ready."""

import http.client
import re
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from groundwork.production import images
from packages.groundwork.tests.conftest import wait_until
from packages.groundwork.tests.production.docker_cli import docker
from packages.groundwork.tests.production.running_stack import CLIENTS, Stack, ask, versions

PAUSE = 0.15  # between the requests of one, so that the two cores have time for the stack too


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


def head(stack: Stack) -> str:
    found = re.search(r"head is (\w+)", stack.ok("prod.status"))
    assert found
    return found[1]
