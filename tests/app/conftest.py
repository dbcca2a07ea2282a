"""Fixture for requests with full access to the API and the desk."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.accounts import users
from app.accounts.models import Role
from app.shop import orders, products
from groundwork.flask.testing import cheap_passwords
from tests import accounts

PASSWORD = "correct horse battery staple"


@pytest.fixture
def signed_in(client: FlaskClient, session: Session, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the staff headers for desk and API, and the CSRF token of forms."""
    monkeypatch.setitem(client.application.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setattr("groundwork.flask.security.login_throttle.FROM_AN_ADDRESS", 10**6)
    monkeypatch.setattr("groundwork.flask.security.login_throttle.FOR_A_USER", 10**6)
    monkeypatch.setattr("groundwork.flask.security.login_throttle.REGISTRATIONS", 10**6)
    cheap_passwords.make_cheap(monkeypatch)  # the real cost would take minutes
    monkeypatch.setattr(
        "app.accounts.tokens.give_up", lambda *_: None
    )  # the session holds for the requests that follow
    grace = users.register(session, "grace@example.com", "Grace", PASSWORD, role=Role.STAFF)
    header = accounts.token(session, grace)
    mug = products.add(session, "MUG-01", "Mug", 1800, 10)
    order = orders.place(session, grace.id, {mug.id: 1})
    session.commit()

    def token(page: str) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).text)
        assert found
        return found[1]

    form = {"csrf_token": token("/sign-in"), "email": "grace@example.com", "password": PASSWORD}
    assert client.post("/sign-in", data=form).status_code == 303
    cookie = client.get_cookie("session")
    assert cookie
    return {
        "user_id": str(grace.id),
        "product_id": str(mug.id),
        "order_id": str(order.id),
        "authorization": header["Authorization"],
        "cookie": f"session={cookie.value}",
        "token": token("/sign-in"),
    }
