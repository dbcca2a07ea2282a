"""The API as an OpenAPI document."""

import json
from collections.abc import Iterator, Sequence
from http import HTTPStatus

from apispec import APISpec
from flask import Flask

from app import problems
from app.api.answers import Problem
from app.api.operation import Header
from app.problems import MEDIA_TYPE
from app.reference.routes import Route, routes
from app.reference.schemas import Json, Schemas

TITLE, VERSION = "Groundwork, the shop", "1.0.0"
DESCRIPTION = """\
JSON in, JSON out. What goes wrong is told as a problem document (RFC 9457), with what a program needs to put it right.

A method that an address does not have is a 405 (`MethodNotAllowed` below), an address that there is not a 404, and a
mistake of ours a 500: problem documents, too.

Money is in cents; moments carry their offset. Every answer has an `X-Request-ID`, by which it is found in the log.
"""
TAGS = {
    "tokens": "What lets a program act for a user.",
    "users": "Who buys, and who serves them.",
    "products": "What is sold.",
    "orders": "What was bought. Goods leave the stock when an order is placed, and come back when it is cancelled.",
}
TOKEN = {"type": "http", "scheme": "bearer", "description": "A user's token, in the header `Authorization`."}
# In words of our own: those of HTTPStatus change from one Python to the next.
FAILURES = {
    HTTPStatus.BAD_REQUEST: ("BadRequest", "What was sent cannot be read."),
    HTTPStatus.NOT_FOUND: ("NotFound", "Nothing has this address."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("MethodNotAllowed", "This address has other methods."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("TooLarge", "The body is too large."),
    HTTPStatus.REQUEST_URI_TOO_LONG: ("AddressTooLong", "The address is too long."),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ("UnsupportedMediaType", "The body was not sent as application/json."),
    HTTPStatus.TOO_MANY_REQUESTS: ("TooManyRequests", "Too many requests have come from there."),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: ("HeadersTooLarge", "A header is too large, or all of them together."),
    HTTPStatus.BAD_GATEWAY: ("BadGateway", "No replica of the service has answered; it may have done it all the same."),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Unavailable", "Not at this moment: the database is away, or all are busy."),
    HTTPStatus.GATEWAY_TIMEOUT: ("GatewayTimeout", "The service has taken too long; it may do it all the same."),
}
RETRY_AFTER = Header("Retry-After", "In how many seconds to try again.", {"type": "integer"})
SENT_WITH = {
    HTTPStatus.CREATED: [Header("Location", "The address of what was made.", {"type": "string"})],
    HTTPStatus.UNAUTHORIZED: [Header("WWW-Authenticate", "`Bearer`.", {"type": "string"})],
    HTTPStatus.METHOD_NOT_ALLOWED: [Header("Allow", "Those that it has.", {"type": "string"})],
    HTTPStatus.TOO_MANY_REQUESTS: [RETRY_AFTER],
    HTTPStatus.BAD_GATEWAY: [RETRY_AFTER],
    HTTPStatus.SERVICE_UNAVAILABLE: [RETRY_AFTER],
    HTTPStatus.GATEWAY_TIMEOUT: [RETRY_AFTER],
}


def text(app: Flask) -> str:
    """With a line for everything, in an order that stays."""
    return json.dumps(document(routes(app)), indent=2, ensure_ascii=False) + "\n"


def document(routes: Sequence[Route]) -> Json:
    schemas = Schemas({each for route in routes for each in route.classes})
    tags = [{"name": name, "description": description} for name, description in TAGS.items()]
    spec = APISpec(TITLE, VERSION, "3.1.0", info={"description": DESCRIPTION}, tags=tags)
    spec.components.security_scheme("token", TOKEN)
    for name, schema in schemas.components():
        spec.components.schema(name, schema)
    for status, (name, _) in FAILURES.items():
        spec.components.response(name, _problem(status, [Problem], schemas))
    readers = {route.path: route for route in routes if route.method == "get"}
    for route in routes:
        answers = {**dict(_answers(route, schemas, readers)), **dict(_problems(route, schemas))}
        spec.path(route.path, operations={route.method: {**_asked(route, schemas), "responses": answers}})
    return spec.to_dict()


def _asked(route: Route, schemas: Schemas) -> Json:
    promised = route.operation
    operation: Json = {
        "operationId": promised.id,
        "tags": [route.tag],
        "summary": route.summary,
        **({"description": route.description} if route.description else {}),
        "security": [{"token": [role]} for role in sorted(promised.allowed)],
    }
    if parameters := list(_parameters(route, schemas)):
        operation["parameters"] = parameters
    if promised.body:
        content = {"application/json": {"schema": schemas.reference(promised.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(route: Route, schemas: Schemas) -> Iterator[Json]:
    for name, schema in route.parameters.items():
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    if route.operation.query:
        yield from schemas.parameters(route.operation.query)
    for header in route.operation.accepts:
        yield {"name": header.name, "in": "header", "required": header.required, **_described(header)}


def _answers(route: Route, schemas: Schemas, readers: dict[str, Route]) -> Iterator[tuple[str, Json]]:
    for status, carried in route.operation.gives.items():
        answer = _answer(status.phrase, (*SENT_WITH.get(status, ()), *route.operation.sends))
        if carried:
            answer["content"] = {"application/json": {"schema": schemas.reference(carried)}}
        if status == HTTPStatus.CREATED:
            answer["links"] = dict(_links(route, readers))
        yield str(status.value), answer


def _links(route: Route, readers: dict[str, Route]) -> Iterator[tuple[str, Json]]:
    """To who tells of what was made."""
    for path, reader in readers.items():
        if path.rpartition("/")[0] == route.path and len(reader.parameters) == 1:
            parameters = dict.fromkeys(reader.parameters, "$response.body#/id")
            yield reader.operation.id, {"operationId": reader.operation.id, "parameters": parameters}


def _problems(route: Route, schemas: Schemas) -> Iterator[tuple[str, Json | str]]:
    for status, kinds in route.problems.items():
        shared = kinds == [Problem]
        yield str(status.value), FAILURES[status][0] if shared else _problem(status, kinds, schemas)


def _problem(status: HTTPStatus, kinds: Sequence[type], schemas: Schemas) -> Json:
    sentences = [FAILURES[status][1] if kind is Problem else f"{problems.of(kind)[2]}." for kind in kinds]
    references = [schemas.reference(kind) for kind in kinds]
    answer = _answer(" ".join(sentences), SENT_WITH.get(status, ()))
    answer["content"] = {MEDIA_TYPE: {"schema": references[0] if len(references) == 1 else {"oneOf": references}}}
    return answer


def _answer(words: str, headers: Sequence[Header]) -> Json:
    answer: Json = {"description": words}
    if headers:
        answer["headers"] = {header.name: _described(header) for header in headers}
    return answer


def _described(header: Header) -> Json:
    return {"description": header.description, "schema": header.schema}
