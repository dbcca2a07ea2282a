"""JSON schemas of the classes of requests, answers and refusals, each once, under its name."""

from collections.abc import Iterator, Mapping, Set
from typing import Any, ClassVar, get_type_hints

from pydantic import Field, TypeAdapter, create_model
from pydantic.json_schema import CoreModeRef, CoreRef, DefsRef, GenerateJsonSchema, JsonSchemaMode

from groundwork.flask.errors import DomainError
from groundwork.flask.http import error_handlers
from groundwork.flask.http.requests import Query
from groundwork.flask.http.responses import Problem

Json = dict[str, Any]

REFERENCE = "#/components/schemas/{model}"
MODE: JsonSchemaMode = "validation"


class Schemas:
    def __init__(self, classes: Set[type], problem_types: str, published_modules: Mapping[str, str]) -> None:
        in_order = sorted(classes, key=lambda each: each.__name__)
        made, whole = TypeAdapter.json_schemas(
            [(each, MODE, TypeAdapter(_told(each, problem_types))) for each in in_order],
            ref_template=REFERENCE,
            schema_generator=type("Untitled", (_Untitled,), {"published_modules": published_modules}),
        )
        self._names = {each: reference["$ref"].rpartition("/")[2] for (each, _), reference in made.items()}
        self._schemas: dict[str, Json] = whole["$defs"]

    def reference(self, each: type) -> Json:
        return {"$ref": REFERENCE.format(model=self._names[each])}

    def parameters(self, query: type[Query]) -> Iterator[Json]:
        """Yield the query parameters; their schemas omit null, since such a parameter is not sent."""
        schema = self._schemas[self._names[query]]
        for name, value in schema["properties"].items():
            required = name in schema.get("required", [])
            yield {"name": name, "in": "query", "required": required, "schema": _never_null(value)}

    def components(self) -> Iterator[tuple[str, Json]]:
        """Return all schemas except those of query parameters, which are inlined."""
        parameters = {name for each, name in self._names.items() if issubclass(each, Query)}
        return ((name, schema) for name, schema in sorted(self._schemas.items()) if name not in parameters)


class _Untitled(GenerateJsonSchema):
    published_modules: ClassVar[Mapping[str, str]]

    def get_defs_ref(self, core_mode_ref: CoreModeRef) -> DefsRef:
        core_ref, mode = core_mode_ref
        for module, published in self.published_modules.items():
            core_ref = CoreRef(core_ref.replace(module, published))
        return super().get_defs_ref((core_ref, mode))

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002
        """Return False: a title would repeat the field's name, with capital letters."""
        return False


def _told(each: type, problem_types: str) -> type:
    """Return the class or, for a refusal, its problem document as error_handlers.py defines it."""
    if not issubclass(each, DomainError):
        return each
    status, name, title = error_handlers.describe(each)
    values: dict[str, Any] = {"type": problem_types + name, "title": title, "status": status.value}
    members: dict[str, Any] = {field: (kind, ...) for field, kind in get_type_hints(each).items()}
    for field, value in values.items():
        members[field] = (type(value), Field(json_schema_extra={"const": value}))
    return create_model(each.public_name(), __base__=Problem, __doc__=_words(each), **members)


def _words(refusal: type[DomainError]) -> str | None:
    """Return the docstring; None if it is only the signature that a dataclass generates."""
    words = refusal.__doc__ or ""
    return None if words.startswith(f"{refusal.__name__}(") else words


def _never_null(schema: Json) -> Json:
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf" and (key, value) != ("default", None)}
    return rest | (kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {})
