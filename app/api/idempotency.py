"""The header Idempotency-Key, as draft-ietf-httpapi-idempotency-key-header has it: for requests that are sent again."""

import hashlib
import re

from flask import Request
from werkzeug.exceptions import BadRequest

from app.api.operation import Header
from app.api.payloads import Body
from app.models import IDEMPOTENCY_KEY_LENGTH

# The draft wants it quoted, most clients send it bare. Printable ASCII either way, without what would need an escape.
BARE = rf"[!#-\[\]-~]{{1,{IDEMPOTENCY_KEY_LENGTH}}}"
KEY = re.compile(rf'("?)({BARE})\1')
HEADER = Header(
    "Idempotency-Key",
    "The same key with the same body is done once, and answered as it was the first time.",
    {"type": "string", "pattern": f'^({BARE}|"{BARE}")$', "examples": ["8e03978e-40d5-43dd-bc93-6894a57f9324"]},
)


def key(request: Request) -> str | None:
    """None where the request has none. Raises BadRequest."""
    given = request.headers.get(HEADER.name)
    if given is None:
        return None
    found = KEY.fullmatch(given)
    if found is None:
        raise BadRequest(
            f"{HEADER.name} should be 1 to {IDEMPOTENCY_KEY_LENGTH} printable ASCII characters, such as a UUID, "
            "without spaces, backslashes and inner quotes."
        )
    return found[2]


def fingerprint(request: Request, body: Body) -> bytes:
    """The same for whatever asks for the same, however it is laid out.

    What was not sent is left out: a field that a later release adds must not make another request of the same body.
    """
    asked = f"{request.method} {request.path}\n{body.model_dump_json(exclude_unset=True)}"
    return hashlib.sha256(asked.encode()).digest()
