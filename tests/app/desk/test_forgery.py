"""Posts that another site has a clerk's browser send."""

import pytest

from tests.app.desk.conftest import TOKEN, Desk

FIELDS = {"email": "grace@example.com", "password": "correct horse battery staple"}


def token(desk: Desk, page: str = "/sign-in") -> str:
    found = TOKEN.search(desk.get(page).text)
    assert found
    return found[1]


@pytest.mark.parametrize("given", [None, "", "00" * 32, "00" * 16, "not hexadecimal", "é" * 64])
def test_a_post_without_the_token_of_the_page_is_refused(anybody: Desk, given: str | None) -> None:
    token(anybody)

    answer = anybody.post("/sign-in", data={**FIELDS, **({} if given is None else {"forgery_token": given})})

    assert answer.status_code == 400
    assert answer.mimetype == "text/html"
    assert "go back, reload, and try again" in answer.text


def test_a_token_of_somebody_else_is_refused(anybody: Desk) -> None:
    theirs = token(Desk(anybody.application, anybody.response_wrapper))

    assert anybody.post("/sign-in", data={**FIELDS, "forgery_token": theirs}).status_code == 400
    token(anybody)
    assert anybody.post("/sign-in", data={**FIELDS, "forgery_token": theirs}).status_code == 400


def test_signing_in_makes_the_tokens_before_it_worthless(anybody: Desk) -> None:
    before = token(anybody)
    anybody.sign_in("grace@example.com")

    assert anybody.post("/sign-out", data={"forgery_token": before}).status_code == 400


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://localhost", 303), ("https://localhost", 303), ("http://evil.example", 400), ("null", 400)],
)
def test_a_post_from_elsewhere_is_refused_even_with_the_token(anybody: Desk, origin: str, status: int) -> None:
    fields = {**FIELDS, "forgery_token": token(anybody)}

    assert anybody.post("/sign-in", data=fields, headers={"Origin": origin}).status_code == status


def test_the_token_looks_different_each_time_and_stays_good(anybody: Desk) -> None:
    first, second = token(anybody), token(anybody)

    assert first != second
    for each in (first, second):
        wrong = {"email": "grace@example.com", "password": "wrong", "forgery_token": each}
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
