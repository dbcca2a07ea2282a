"""OpenAPI document of the API."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from apispec import APISpec
from flask import Flask

from groundwork.flask.http import error_handlers
from groundwork.flask.http.error_handlers import MEDIA_TYPE
from groundwork.flask.http.openapi.operation import Header
from groundwork.flask.http.openapi.routes import Route, routes
from groundwork.flask.http.openapi.schemas import Json, Schemas
from groundwork.flask.http.responses import Problem

VERSION = "1.0.0"
EXTENSION = "openapi"
"""Key of the app's `About` in its extensions."""
TOKEN = {"type": "http", "scheme": "bearer", "description": "A user's token, in the header `Authorization`."}
# Our own descriptions: those of HTTPStatus change between Python versions.
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


@dataclass(frozen=True)
class About:
    """What the document says of one API."""

    title: str
    description: str
    tags: Mapping[str, str]
    """Descriptions of its blueprints, by their names."""
    problem_types: str
    """Prefix of the types of refusals, as in `urn:problem-type:shop:`."""
    published_modules: Mapping[str, str] = field(default_factory=dict)
    """Modules as the document names them, for classes that share a name. Its names are public and must not change."""


def text(app: Flask) -> str:
    """Return the document as JSON with one value per line, in a stable order."""
    return json.dumps(document(routes(app), app.extensions[EXTENSION]), indent=2, ensure_ascii=False) + "\n"


def document(routes: Sequence[Route], about: About) -> Json:
    classes = {each for route in routes for each in route.classes}
    schemas = Schemas(classes, about.problem_types, about.published_modules)
    tags = [{"name": name, "description": description} for name, description in about.tags.items()]
    spec = APISpec(about.title, VERSION, "3.1.0", info={"description": about.description}, tags=tags)
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
        "security": [{"token": [role]} for role in sorted(promised.allowed.roles)],
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
    """Yield links to the endpoint that returns the created entity."""
    for path, reader in readers.items():
        if path.rpartition("/")[0] == route.path and len(reader.parameters) == 1:
            parameters = dict.fromkeys(reader.parameters, "$response.body#/id")
            yield reader.operation.id, {"operationId": reader.operation.id, "parameters": parameters}


def _problems(route: Route, schemas: Schemas) -> Iterator[tuple[str, Json | str]]:
    for status, kinds in route.problems.items():
        shared = kinds == [Problem]
        yield str(status.value), FAILURES[status][0] if shared else _problem(status, kinds, schemas)


def _problem(status: HTTPStatus, kinds: Sequence[type], schemas: Schemas) -> Json:
    sentences = [FAILURES[status][1] if kind is Problem else f"{error_handlers.describe(kind)[2]}." for kind in kinds]
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
