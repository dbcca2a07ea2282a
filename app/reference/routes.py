"""The API's routes: what each promises, and what follows from it."""

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

from app import problems
from app.api import operation
from app.api.answers import Problem
from app.api.operation import STAFF, Operation
from app.errors import InvalidRequest, NotAllowed, Refusal, SignInRequired
from app.values import Id

PARAMETER = re.compile(r"<(?P<converter>\w+):(?P<name>\w+)>")
CONVERTERS = {"id": TypeAdapter(Id).json_schema()}

BY_THE_PROXY = (HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)
"""What any request may be answered with by what stands before the service, and none by the service."""


class Route(NamedTuple):
    path: str
    method: str
    tag: str
    parameters: dict[str, Any]
    """The schemas of those in the path, by name."""
    operation: Operation
    summary: str
    description: str

    @property
    def problems(self) -> dict[HTTPStatus, list[type]]:
        """What can go wrong, by status."""
        found: dict[HTTPStatus, list[type]] = {status: [Problem] for status in self._statuses()}
        for refusal in dict.fromkeys((*self._refusals(), *self.operation.refusals)):
            found.setdefault(problems.of(refusal)[0], []).append(refusal)
        return dict(sorted(found.items()))

    @property
    def classes(self) -> set[type]:
        asked = (self.operation.body, self.operation.query)
        named = chain(asked, self.operation.gives.values(), *self.problems.values())
        return {each for each in named if each is not None}

    def _refusals(self) -> Iterator[type[Refusal]]:
        """Those before the view has its turn."""
        if self.operation.body or self.operation.query:
            yield InvalidRequest
        if self.operation.allowed:
            yield SignInRequired
        if self.operation.allowed == STAFF:
            yield NotAllowed

    def _statuses(self) -> Iterator[HTTPStatus]:
        """Those that HTTP itself names, of this service and of the proxy before it."""
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
    """Those with an operation, by address and method."""
    found = [route for rule in app.url_map.iter_rules() for route in _routes(rule, app.view_functions[rule.endpoint])]
    return sorted(found, key=attrgetter("path", "method"))


def _routes(rule: Rule, view: Callable[..., object]) -> Iterator[Route]:
    promised = operation.of(view)
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
