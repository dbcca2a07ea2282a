"""Production of an existing project, as docs/adopt.md adds it."""

import shutil
from dataclasses import replace
from urllib.request import urlopen

import pytest

from groundwork.system import ports
from packages.groundwork.tests.adoption.conftest import follow, run
from packages.groundwork.tests.conftest import Clone
from packages.groundwork.tests.template.conftest import (  # noqa: F401  with the fixtures
    Copy,
    commit,
    copier,
    made,
    once,
    output,
    source,
)


@pytest.mark.engine
@pytest.mark.compose
def test_it_runs_behind_nginx_and_is_deployed(blog: Clone, made: Copy) -> None:  # noqa: F811  the fixture
    new = made(name="blog")
    for name in ("compose", "config", "packages"):
        shutil.copytree(new / name, blog.folder / name)
    shutil.copy(new / "app" / "config.py", blog.folder / "application" / "settings.py")
    follow(blog, "Run production on one machine")
    port = ports.any_free()
    production = blog.folder / "config" / "production.json"
    production.write_text(production.read_text().replace('"port": 8080', f'"port": {port}'))
    output("uv", "lock", "--quiet", at=blog.folder)
    output("git", "init", "--quiet", at=blog.folder)
    commit(blog.folder)
    blog = replace(blog, environment={name: value for name, value in blog.environment.items() if name != "DOCKER_HOST"})

    try:
        run(blog, "invoke", "prod.up")
        run(blog, "invoke", "prod.deploy")
        with urlopen(f"http://localhost:{port}/posts") as answer:
            posts = answer.read()
    finally:
        run(blog, "invoke", "prod.down", "--volumes", "--yes-i-mean", "blog")

    assert posts == b"[]\n"
