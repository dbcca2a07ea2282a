"""Form of the sign-in page."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from app.accounts.field_types import LONGEST_PASSWORD
from app.accounts.models import EMAIL_LENGTH
from groundwork.flask.http.forms import Form

ADDRESS = re.compile(r"[^@\0]+@[^@\0]+")


def email_address(text: str) -> str:
    if not ADDRESS.fullmatch(text.strip()):
        raise ValueError
    return text.strip()


Address = Annotated[str, Field(max_length=EMAIL_LENGTH), AfterValidator(email_address)]


class Credentials(Form):
    email: Address
    """The e-mail address of your account."""
    password: Annotated[SecretStr, Field(max_length=LONGEST_PASSWORD)]
    """Your password."""
