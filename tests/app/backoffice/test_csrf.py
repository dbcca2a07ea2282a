"""CSRF protection of the desk."""

import pytest

from groundwork.flask.testing.form_client import TOKEN
from tests.app.backoffice.conftest import Desk

FIELDS = {"email": "grace@example.com", "password": "correct horse battery staple"}


def token(desk: Desk, page: str = "/sign-in") -> str:
    found = TOKEN.search(desk.get(page).text)
    assert found
    return found[1]


@pytest.mark.parametrize("given", [None, "", "0" * 32, "a.token.by-nobody", "é" * 64])
def test_a_post_without_the_token_of_the_page_is_refused(anybody: Desk, given: str | None) -> None:
    token(anybody)

    answer = anybody.post("/sign-in", data={**FIELDS, **({} if given is None else {"csrf_token": given})})

    assert answer.status_code == 400
    assert answer.mimetype == "text/html"
    assert "go back, reload, and try again" in answer.text


def test_a_token_of_somebody_else_is_refused(anybody: Desk) -> None:
    theirs = token(Desk(anybody.application, anybody.response_wrapper))

    assert anybody.post("/sign-in", data={**FIELDS, "csrf_token": theirs}).status_code == 400
    token(anybody)
    assert anybody.post("/sign-in", data={**FIELDS, "csrf_token": theirs}).status_code == 400


def test_a_field_without_a_name_is_refused(anybody: Desk) -> None:
    body = b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--"

    answer = anybody.post("/sign-in", data=body, content_type="multipart/form-data; boundary=x")

    assert answer.status_code == 400


def test_signing_in_makes_the_tokens_before_it_worthless(anybody: Desk) -> None:
    before = token(anybody)
    anybody.sign_in("grace@example.com")

    assert anybody.post("/sign-out", data={"csrf_token": before}).status_code == 400


@pytest.mark.parametrize(
    ("referer", "status"),
    [
        ("https://localhost/sign-in", 303),
        ("http://localhost/sign-in", 400),
        ("https://evil.example/", 400),
        ("https://localhost:x/", 400),
        ("https://[", 400),
        ("", 400),
    ],
)
def test_a_post_from_elsewhere_is_refused_over_tls_even_with_the_token(
    anybody: Desk, referer: str, status: int
) -> None:
    fields = {**FIELDS, "csrf_token": token(anybody)}

    answer = anybody.post("/sign-in", data=fields, base_url="https://localhost", headers={"Referer": referer})

    assert answer.status_code == status


def test_the_token_of_a_page_stays_good_when_another_page_is_opened(anybody: Desk) -> None:
    for each in (token(anybody), token(anybody)):
        wrong = {"email": "grace@example.com", "password": "wrong", "csrf_token": each}
        assert anybody.post("/sign-in", data=wrong).status_code == 401


def test_over_plain_http_the_refusal_says_that_the_page_needs_tls(
    anybody: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(anybody.application.config, "SESSION_COOKIE_SECURE", True)

    plain, by_tls = (
        anybody.post("/sign-in", data=FIELDS, base_url=f"{each}://localhost") for each in ("http", "https")
    )

    assert (plain.status_code, by_tls.status_code) == (400, 400)
    assert "This page needs TLS" in plain.text
    assert "TLS" not in by_tls.text
