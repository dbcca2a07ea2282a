"""The commands of `flask`."""

import os
import subprocess
import sys

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy.orm import Session

from app.accounts import users
from app.accounts.models import Role
from groundwork.system import paths
from groundwork.testing import server_lifecycle
from groundwork.testing.service import create
from tests.accounts import token

PASSWORD = "correct horse battery staple"


def test_somebody_of_the_staff_gets_a_password_and_a_token(app: Flask, client: FlaskClient, session: Session) -> None:
    shop = app.test_cli_runner()

    registered = shop.invoke(args=["register-staff", "grace@example.com", "Grace"])
    named = shop.invoke(args=["set-password", "grace@example.com"], input="correct horse\ncorrect horse\n")
    issued = shop.invoke(args=["issue-token", "grace@example.com"]).stdout.strip()

    assert (registered.exit_code, named.exit_code) == (0, 0), registered.output + named.output
    assert users.authenticate(session, "grace@example.com", "correct horse").role is Role.STAFF
    assert client.get("/api/tokens", headers={"Authorization": f"Bearer {issued}"}).status_code == 200
    assert "correct horse" not in named.output


def test_a_new_password_ends_the_tokens_of_before(app: Flask, client: FlaskClient, session: Session) -> None:
    grace = users.register(session, "grace@example.com", "Grace", PASSWORD, role=Role.STAFF)
    headers = token(session, grace)
    session.commit()
    before = client.get("/api/tokens", headers=headers).status_code

    app.test_cli_runner().invoke(args=["set-password", "grace@example.com"], input=f"{PASSWORD}!\n{PASSWORD}!\n")

    assert (before, client.get("/api/tokens", headers=headers).status_code) == (200, 401)


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


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (["register-staff", "not an address", "X"], "email: value is not a valid email address: "),
        (["register-staff", "grace@example.com", " "], "name: String should have at least 1 character"),
        (["register-staff", "grace@example.com", "x" * 201], "name: String should have at most 200 characters"),
        (["register-staff", "grace@example.com", "\udc80"], "name: Input should be a valid string"),
        (["make-staff", "\udc80@example.com"], "email: Input should be a valid string"),
        (["set-password", "ada@example.com"], "password: String should have at least 12 characters"),
        (["set-password", "ada@example.com", "--password", "x" * 257], "password: String should have at most 256 char"),
        (["set-password", "ada@example.com", "--password", "Password1234"], "This password is easy to guess: "),
        (["set-password", "ada@example.com", "--password", "ada@example.com"], "This password is easy to guess: "),
        (["issue-token", "ada@example.com", "--name", ""], "name: String should have at least 1 character"),
        (["issue-token", "ada@example.com", "--name", "x" * 101], "name: String should have at most 100 characters"),
        (["issue-token", "ada@example.com", "--days", "0"], "days: Input should be greater than or equal to 1"),
        (["issue-token", "ada@example.com", "--days", "9" * 30], "days: Input should be less than or equal to 365"),
    ],
)
def test_a_command_keeps_the_rules_of_the_api(app: Flask, session: Session, command: list[str], complaint: str) -> None:
    users.register(session, "ada@example.com", "Ada", PASSWORD)
    session.commit()

    result = app.test_cli_runner().invoke(args=command, input="short\nshort\n")

    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {complaint}")
    assert result.stderr.count("\n") == 1


def test_a_database_that_does_not_answer_is_told_in_a_line() -> None:
    away = server_lifecycle.settings().with_values("the test", POSTGRES_HOST="127.0.0.1", POSTGRES_PORT=1)
    app = create(away.environment)

    code, complaint = said(app.test_cli_runner(), "prune")

    assert code == 1
    assert complaint.startswith("Error: the database does not answer: connection failed: ")
    assert complaint.count("\n") == 1


@pytest.mark.parametrize("command", ["run", "routes"])
def test_flask_by_hand_says_what_to_type(command: str) -> None:
    typed = subprocess.run(
        [sys.executable, "-m", "flask", command],
        cwd=paths.ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert typed.returncode != 0
    assert "FLASK_CONFIG: should be one of production, development, testing, got ''" in typed.stderr
    assert "Type ./inv dev, or ./inv run 'flask …'" in typed.stderr
    assert "Traceback" not in typed.stderr


def said(shop: FlaskCliRunner, *command: str) -> tuple[int, str]:
    result = shop.invoke(args=command)
    return result.exit_code, result.stderr
