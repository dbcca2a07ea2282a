"""Errors of users, passwords and tokens."""

from dataclasses import dataclass

from groundwork.flask.errors import Conflict, Forbidden, Invalid, Unauthenticated, Unknown


@dataclass(eq=False)
class WrongCredentials(Unauthenticated):
    """The sign-in failed; the answer does not say whether the address or the password is wrong."""

    def __str__(self) -> str:
        return "The e-mail address or the password is wrong."


@dataclass(eq=False)
class SignInRequired(Unauthenticated):
    def __str__(self) -> str:
        return "This needs a token of a user: Authorization: Bearer … (POST /api/tokens makes one)."


@dataclass(eq=False)
class NotAllowed(Forbidden):
    def __str__(self) -> str:
        return "This is for the staff."


@dataclass(eq=False)
class KnownPassword(Invalid):
    """The password is among the first that an attacker would try."""

    def __str__(self) -> str:
        return "This password is easy to guess: it is common, or your name or address. Please choose another one."


@dataclass(eq=False)
class UnknownToken(Unknown):
    token_id: int

    def __str__(self) -> str:
        return f"There is no token {self.token_id}."


@dataclass(eq=False)
class UnknownUser(Unknown):
    user_id: int

    def __str__(self) -> str:
        return f"There is no user {self.user_id}."


@dataclass(eq=False)
class EmailTaken(Conflict):
    email: str

    def __str__(self) -> str:
        return f"There already is a user with the address {self.email}."
