"""Responses of the stack to a browser: headers, caching, and the page for a refused request."""

import pytest

from packages.groundwork.tests.production.running_stack import Stack


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
