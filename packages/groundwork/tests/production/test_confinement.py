"""Confinement of the stack: container limits, image content, database privileges, and secrets."""

import json

import pytest

from packages.groundwork.tests.conftest import production_secrets
from packages.groundwork.tests.production.docker_cli import docker
from packages.groundwork.tests.production.running_stack import Stack


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
