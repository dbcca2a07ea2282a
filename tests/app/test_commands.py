"""The commands of `flask`."""

from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy.orm import Session

from app import users
from app.models import Role


def test_somebody_of_the_staff_gets_a_password_and_a_token(app: Flask, client: FlaskClient, session: Session) -> None:
    shop = app.test_cli_runner()

    registered = shop.invoke(args=["register-staff", "grace@example.com", "Grace"])
    named = shop.invoke(args=["set-password", "grace@example.com"], input="correct horse\ncorrect horse\n")
    token = shop.invoke(args=["issue-token", "grace@example.com"]).stdout.strip()

    assert (registered.exit_code, named.exit_code) == (0, 0), registered.output + named.output
    assert users.authenticate(session, "grace@example.com", "correct horse").role is Role.STAFF
    assert client.get("/api/orders", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert "correct horse" not in named.output


def test_who_has_registered_can_be_made_one_of_the_staff(app: Flask, session: Session) -> None:
    users.register(session, "grace@example.com", "Grace", "correct horse battery")
    session.commit()

    made = app.test_cli_runner().invoke(args=["make-staff", "GRACE@example.com"])

    assert made.exit_code == 0, made.output
    assert "grace@example.com is user " in made.stdout
    session.expire_all()
    assert users.authenticate(session, "grace@example.com", "correct horse battery").role is Role.STAFF


def test_what_cannot_be_done_is_told_in_a_line(app: Flask, session: Session) -> None:
    users.register(session, "ada@example.com", "Ada")
    session.commit()
    shop = app.test_cli_runner()

    assert said(shop, "register-staff", "ADA@example.com", "Ada") == (
        1,
        "Error: There already is a user with the address ADA@example.com.\n",
    )
    assert said(shop, "issue-token", "bruno@example.com") == (
        1,
        "Error: there is no user bruno@example.com: register-staff adds one\n",
    )


def said(shop: FlaskCliRunner, *command: str) -> tuple[int, str]:
    result = shop.invoke(args=command)
    return result.exit_code, result.stderr
