"""Test client for pages with forms."""

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from groundwork.flask.http.csrf import FIELD

TOKEN = re.compile(rf'name="{FIELD}" value="([^"]+)"')


class FormClient(FlaskClient):
    """Client that submits forms as a browser does, with their hidden fields."""

    def send(self, address: str, page: str, **fields: Any) -> TestResponse:
        """Submit fields with the CSRF token of the form on the page."""
        found = TOKEN.search(self.get(page).text)
        assert found
        return self.post(address, data={FIELD: found[1], **fields})
