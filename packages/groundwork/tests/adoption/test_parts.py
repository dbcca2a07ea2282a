"""Each part of docs/adopt.md alone, in a project that has none of the others."""

import json
import signal
import subprocess
from urllib.request import urlopen

from packages.groundwork.tests.adoption.conftest import BLOG, follow, run
from packages.groundwork.tests.conftest import Clone, wait_until

TESTS, MIGRATIONS, SCENARIOS = "Test on PostgreSQL", "Lint and run migrations", "Fill databases with scenarios"
WITH_A_SCENARIO = """

@pytest.mark.scenario("starter")
def test_the_starter_has_posts(database):
    assert len(database.app().test_client().get("/posts").json) == 3
"""


def test_the_project_s_own_tests_run_on_postgresql(blog: Clone) -> None:
    follow(blog, TESTS)
    with (blog.folder / "tests" / "test_posts.py").open("a") as file:
        file.write("\n\ndef test_it_is_postgresql(session):\n    assert session.bind.dialect.name == 'postgresql'\n")

    said = run(blog, "pytest")

    assert "3 passed" in said
    assert "embedded PostgreSQL" in said


def test_its_migrations_are_linted_and_run_one_at_a_time(blog: Clone) -> None:
    follow(blog, MIGRATIONS)

    assert run(blog, "invoke", "db.migrate").splitlines()[-1] == "upgrade 7c40b8e29d13: the body of a post"
    assert run(blog, "invoke", "db.lint") == "migrations/versions: no problem found\n"
    assert "up to date" in run(blog, "invoke", "db.status")
    assert "No new upgrade operations" in run(blog, "invoke", "db.check")
    add_column(blog)
    run(blog, "invoke", "db.revision", "-m", "author", "--apply")
    assert "author" in run(blog, "invoke", "db.status")


def test_all_its_migrations_are_linted_without_a_first_one(blog: Clone) -> None:
    linted = blog.inv("db.lint")

    assert linted.returncode == 1
    assert "migrations/versions/7c40b8e29d13_the_body_of_a_post.py:17: adding-required-field" in linted.stderr


def test_a_first_migration_that_is_unknown_is_refused(blog: Clone) -> None:
    table = blog.folder / "pyproject.toml"
    table.write_text(table.read_text().replace("migrations =", 'lint_after = "nosuch"\nmigrations ='))

    linted = blog.inv("db.lint")

    assert linted.returncode == 1
    assert linted.stderr == "pyproject.toml: tool.groundwork.lint_after: there is no revision nosuch\n"


def test_its_databases_are_filled_with_scenarios(blog: Clone) -> None:
    follow(blog, SCENARIOS)

    try:
        loaded = run(blog, "invoke", "scenario", "--name", "starter")
        counted = run(blog, "invoke", "scenario.query", "--name", "starter", "SELECT count(*) FROM posts")
    finally:
        run(blog, "invoke", "scenario.down", "--name", "starter")

    assert "starter: 3 posts" in loaded
    assert "3 found" in counted


def test_its_tests_get_a_scenario(blog: Clone) -> None:
    follow(blog, TESTS)
    follow(blog, SCENARIOS)
    tests = blog.folder / "tests" / "test_posts.py"
    tests.write_text("import pytest\n\n" + tests.read_text() + WITH_A_SCENARIO)

    assert "3 passed" in run(blog, "pytest")


def test_one_command_starts_its_development(blog: Clone) -> None:
    command = blog.command("dev")
    with subprocess.Popen(command, cwd=blog.folder, env=blog.environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        address = next(line.split()[1] for line in server.stdout if line.startswith("  page"))
        wait_until(lambda: answers(f"{address}/posts"))
        with urlopen(f"{address}/posts") as answer:  # noqa: S310  this machine's own
            posts = json.load(answer)
        server.send_signal(signal.SIGINT)

    assert posts == []
    assert server.returncode == 130
    assert subprocess.check_output(["git", "init", "--quiet", "."], cwd=blog.folder) == b""
    assert ".local" not in subprocess.check_output(["git", "status", "--short"], cwd=blog.folder, text=True)


def test_the_page_adds_to_what_the_project_has() -> None:
    """Its first conftest creates the tables itself, so that the page has something to replace."""
    assert "create_all" in (BLOG / "tests" / "conftest.py").read_text()


def answers(address: str) -> bool:
    try:
        with urlopen(address):  # noqa: S310  as above
            return True
    except OSError:
        return False


def add_column(blog: Clone) -> None:
    models = blog.folder / "application" / "models.py"
    models.write_text(models.read_text() + "    author = db.Column(db.Text)\n")
