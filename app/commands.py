"""Commands of `flask`, some of them for a scheduler."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import click
import structlog
from flask import Flask, current_app
from flask.cli import with_appcontext
from pydantic import Field, TypeAdapter, ValidationError
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.accounts import tokens, users
from app.accounts.errors import EmailTaken, KnownPassword
from app.accounts.field_types import Email, NewPassword, TokenDays, TokenName
from app.accounts.models import EMAIL_LENGTH, Role, User
from groundwork.flask.database import db, reason
from groundwork.flask.http import idempotency
from groundwork.flask.http.field_types import Name
from groundwork.flask.security import login_throttle

log: structlog.typing.FilteringBoundLogger = structlog.get_logger("app.commands")


class DatabaseCommand(click.Command):
    """Command that fails with a one-line message if the database is unavailable."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except OperationalError as error:
            remedy = "; inv dev starts the database" if current_app.debug else ""
            raise click.ClickException(f"the database does not answer: {reason(error)}{remedy}") from None


def init_app(app: Flask) -> None:
    for command in (register_staff, make_staff, set_password, issue_token, prune):
        app.cli.add_command(command)


@click.command("register-staff", cls=DatabaseCommand)
@click.argument("email")
@click.argument("name")
@with_appcontext
def register_staff(email: str, name: str) -> None:
    """Add somebody to the staff; set-password then lets them sign in."""
    email, name = _checked("email", Email, email), _checked("name", Name, name)
    try:
        user = users.register(db.session(), email, name, role=Role.STAFF)
    except EmailTaken as taken:
        raise click.ClickException(str(taken)) from None
    db.session.commit()
    click.echo(f"{user.email} is user {user.id}, of the staff")


@click.command("make-staff", cls=DatabaseCommand)
@click.argument("email")
@with_appcontext
def make_staff(email: str) -> None:
    """Have somebody be of the staff who has registered, and has a password so."""
    user = _user(email)
    user.role = Role.STAFF
    db.session.commit()
    click.echo(f"{user.email} is user {user.id}, of the staff, registered at {user.created_at:%Y-%m-%d %H:%M %Z}")


@click.command("set-password", cls=DatabaseCommand)
@click.argument("email")
@click.password_option()
@with_appcontext
def set_password(email: str, password: str) -> None:
    """Set a user's password and end their tokens; asks for it, or reads it twice from standard input."""
    new = _checked("password", NewPassword, password).get_secret_value()
    user = _user(email)
    try:
        users.set_password(db.session(), user, new)
    except KnownPassword as known:
        raise click.ClickException(str(known)) from None
    db.session.commit()
    click.echo(f"{user.email} can sign in")


@click.command("issue-token", cls=DatabaseCommand)
@click.argument("email")
@click.option("--name", default="command line", show_default=True, help="so that it is known again")
@click.option("--days", default=1, show_default=True, help="how long it is good")
@with_appcontext
def issue_token(email: str, name: str, days: int) -> None:
    """Print a new token, by which a program acts for a user."""
    name, days = _checked("name", TokenName, name), _checked("days", TokenDays, days)
    _, shown = tokens.issue(db.session(), _user(email), name, timedelta(days=days))
    db.session.commit()
    click.echo(shown)


@click.command("prune", cls=DatabaseCommand)
@with_appcontext
def prune() -> None:
    """Delete what need not be known any more: old idempotency keys, tokens that are over, attempts to sign in."""
    session, now = db.session(), datetime.now(UTC)
    session.execute(text("SET LOCAL statement_timeout = 0"))  # the first run may have many rows to delete
    keys = idempotency.purge(session, now - idempotency.KEPT)
    over, tried = tokens.purge(session, now), login_throttle.purge(session, now)
    session.commit()
    log.info("pruned", idempotency_keys=keys, tokens=over, sign_in_attempts=tried)


def _user(email: str) -> User:
    user = users.find_by_email(db.session(), _checked("email", Annotated[str, Field(max_length=EMAIL_LENGTH)], email))
    if user is None:
        raise click.ClickException(f"there is no user {email}: register-staff adds one")
    return user


def _checked(name: str, kind: Any, value: object) -> Any:
    """Return the value as the API would validate it; raise ClickException with the rule that it violates."""
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        rule = error.errors(include_url=False, include_context=False, include_input=False)[0]["msg"]
        raise click.ClickException(f"{name}: {rule.removeprefix('Value error, ')}") from None
