"""The API's routes, with their operations and the errors that these imply."""

import inspect
import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

from flask import Flask
from pydantic import TypeAdapter
from werkzeug.routing import Rule

from groundwork.flask.errors import DomainError, InvalidRequest
from groundwork.flask.http import error_handlers
from groundwork.flask.http.field_types import Id
from groundwork.flask.http.openapi import operation
from groundwork.flask.http.openapi.operation import Operation
from groundwork.flask.http.responses import Problem

PARAMETER = re.compile(r"<(?P<converter>\w+):(?P<name>\w+)>")
CONVERTERS = {"id": TypeAdapter(Id).json_schema()}

BY_THE_PROXY = (HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)
"""Statuses that the proxy may answer to any request, and the service never does."""


class Route(NamedTuple):
    path: str
    method: str
    tag: str
    parameters: dict[str, Any]
    """Schemas of the path parameters, by name."""
    operation: Operation
    summary: str
    description: str

    @property
    def problems(self) -> dict[HTTPStatus, list[type]]:
        """Classes of errors by status."""
        found: dict[HTTPStatus, list[type]] = {status: [Problem] for status in self._statuses()}
        for refusal in dict.fromkeys((*self._refusals(), *self.operation.refusals)):
            found.setdefault(error_handlers.describe(refusal)[0], []).append(refusal)
        return dict(sorted(found.items()))

    @property
    def classes(self) -> set[type]:
        asked = (self.operation.body, self.operation.query)
        named = chain(asked, self.operation.gives.values(), *self.problems.values())
        return {each for each in named if each is not None}

    def _refusals(self) -> Iterator[type[DomainError]]:
        """Yield refusals that are raised before the view runs."""
        if self.operation.body or self.operation.query:
            yield InvalidRequest
        yield from self.operation.allowed.refusals

    def _statuses(self) -> Iterator[HTTPStatus]:
        """Yield statuses of plain HTTP errors, of this service and of its proxy."""
        if self.operation.body or self.operation.accepts:
            yield HTTPStatus.BAD_REQUEST
        if self.operation.body:
            yield from (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        if self.parameters:
            yield HTTPStatus.NOT_FOUND
        if self.operation.query:
            yield HTTPStatus.REQUEST_URI_TOO_LONG
        if self.method != "get":
            yield HTTPStatus.TOO_MANY_REQUESTS
        yield HTTPStatus.SERVICE_UNAVAILABLE
        yield from BY_THE_PROXY


def routes(app: Flask) -> list[Route]:
    """Return the routes that have an operation, sorted by path and method."""
    found = [route for rule in app.url_map.iter_rules() for route in _routes(rule, app.view_functions[rule.endpoint])]
    return sorted(found, key=attrgetter("path", "method"))


def _routes(rule: Rule, view: Callable[..., object]) -> Iterator[Route]:
    promised = operation.find(view)
    if promised is None:
        return
    summary, _, description = (inspect.getdoc(view) or "").partition("\n\n")
    for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
        yield Route(
            PARAMETER.sub(r"{\g<name>}", rule.rule),
            method.lower(),
            rule.endpoint.split(".")[-2],
            {found["name"]: CONVERTERS[found["converter"]] for found in PARAMETER.finditer(rule.rule)},
            promised,
            summary.removesuffix("."),
            description,
        )
