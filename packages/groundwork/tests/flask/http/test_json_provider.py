"""JSON serializer of responses."""

import pytest
from flask import Flask
from flask.json.provider import DefaultJSONProvider

from app.accounts.models import Role
from groundwork.flask.http.json_provider import OrjsonProvider


@pytest.mark.parametrize("debug", [False, True])
def test_they_look_as_flask_writes_them(debug: bool) -> None:
    app = Flask(__name__)
    app.debug = debug
    usual = DefaultJSONProvider(app)
    usual.ensure_ascii = False
    value = {"b": [1, None, True, 2**63 - 1, "€ \u2028 <"], "a": {"status": Role.STAFF, "share": 0.1}, "c": []}

    expected = usual.response(value)
    answer = OrjsonProvider(app).response(value)

    assert answer.get_data() == expected.get_data()  # type: ignore[attr-defined]  # it is Flask's own, too
    assert answer.content_type == expected.content_type


def test_an_integer_beyond_64_bits_is_written_too() -> None:
    app = Flask(__name__)

    assert OrjsonProvider(app).response({"sum": 10**30}).get_json() == {"sum": 10**30}
