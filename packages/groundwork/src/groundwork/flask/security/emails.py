"""Comparison of e-mail addresses by one rule, in Python and in PostgreSQL."""

import string
import unicodedata

from pydantic import validate_email

LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def folded(email: str) -> str:
    """Return the form in which addresses are compared: `normalised`, with A to Z in lower case.

    All other characters are compared as they are, as in the unique index. Python and PostgreSQL, and different locales
    of PostgreSQL, disagree on the lower case of some of them, such as a dotted capital I or a final sigma.
    """
    return normalised(email).translate(LOWER)


def normalised(email: str) -> str:
    """Return the canonical spelling: composed characters (NFC), the domain in lower case and without punycode."""
    try:
        return validate_email(email)[1]
    except ValueError:  # such as grace@localhost, registered before addresses were validated
        return unicodedata.normalize("NFC", email)
