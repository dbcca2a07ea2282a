"""Validation of responses against the OpenAPI document."""

import re
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jsonschema_rs import Draft202012Validator
from werkzeug.test import TestResponse

from groundwork.flask.http.openapi import document
from groundwork.flask.http.openapi.routes import BY_THE_PROXY, routes

ELSEWHERE = {404: "NotFound", 405: "MethodNotAllowed"}
"""Responses for operations that do not exist."""


class Contract:
    """Validator that raises ValidationError for a wrong body, AssertionError for a wrong status, type or header."""

    def __init__(self, app: Flask) -> None:
        whole = document.document(routes(app), app.extensions[document.EXTENSION])
        self._components = whole["components"]
        self._paths = {re.compile(re.sub(r"{\w+}", "[^/]+", path)): item for path, item in whole["paths"].items()}
        self._validators: dict[str, Draft202012Validator] = {}

    def hold(self, answer: TestResponse) -> None:
        promised = self._promised(answer)
        content = promised.get("content", {})
        assert (answer.content_type in content) if answer.data else not content
        assert set(promised.get("headers", {})) <= {name for name, _ in answer.headers}
        if answer.data:
            self._validator(content[answer.content_type]["schema"]).validate(answer.json)

    def _promised(self, answer: TestResponse) -> dict[str, Any]:
        assert answer.status_code not in BY_THE_PROXY
        request = answer.request
        method = request.method.lower()
        for path, operations in self._paths.items():
            if path.fullmatch(request.path) and method in operations:
                responses = operations[method]["responses"]
                assert str(answer.status_code) in responses, f"{request.method} {request.path} gave {answer.status}"
                return self._resolved(responses[str(answer.status_code)])
        assert answer.status_code in ELSEWHERE, f"{request.method} {request.path} is not in the document"
        return self._resolved({"$ref": f"#/components/responses/{ELSEWHERE[answer.status_code]}"})

    def _resolved(self, response: dict[str, Any]) -> dict[str, Any]:
        reference = response.get("$ref", "")
        return self._components["responses"][reference.rpartition("/")[2]] if reference else response

    def _validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        key = repr(schema)
        if key not in self._validators:
            whole = {**schema, "components": self._components}
            self._validators[key] = Draft202012Validator(whole, validate_formats=True)
        return self._validators[key]


class HeldClient(FlaskClient):
    """Test client that validates every response against the document."""

    def __init__(self, app: Flask, contract: Contract) -> None:
        super().__init__(app, app.response_class)
        self._contract = contract

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        answer = super().open(*args, **kwargs)
        self._contract.hold(answer)
        return answer


def pointers(problem: Any) -> list[str]:
    """Return the places of the errors in a problem document."""
    return [error["pointer"] for error in problem["errors"]]
