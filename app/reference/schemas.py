"""The classes of requests, answers and refusals as JSON schemas, each once, under its name."""

from collections.abc import Iterator, Set
from typing import Any, get_type_hints

from pydantic import Field, TypeAdapter, create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from app import problems
from app.api.answers import Problem
from app.api.payloads import Query
from app.errors import Refusal

Json = dict[str, Any]

REFERENCE = "#/components/schemas/{model}"
MODE: JsonSchemaMode = "validation"


class Schemas:
    def __init__(self, classes: Set[type]) -> None:
        in_order = sorted(classes, key=lambda each: each.__name__)
        made, whole = TypeAdapter.json_schemas(
            [(each, MODE, TypeAdapter(_told(each))) for each in in_order],
            ref_template=REFERENCE,
            schema_generator=_Untitled,
        )
        self._names = {each: reference["$ref"].rpartition("/")[2] for (each, _), reference in made.items()}
        self._schemas: dict[str, Json] = whole["$defs"]

    def reference(self, each: type) -> Json:
        return {"$ref": REFERENCE.format(model=self._names[each])}

    def parameters(self, query: type[Query]) -> Iterator[Json]:
        """Of an address, where what would be null is left out."""
        schema = self._schemas[self._names[query]]
        for name, value in schema["properties"].items():
            required = name in schema.get("required", [])
            yield {"name": name, "in": "query", "required": required, "schema": _never_null(value)}

    def components(self) -> Iterator[tuple[str, Json]]:
        """All but those of parameters, which stand where they are used."""
        parameters = {name for each, name in self._names.items() if issubclass(each, Query)}
        return ((name, schema) for name, schema in sorted(self._schemas.items()) if name not in parameters)


class _Untitled(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002
        """A field's title would be its name again, with capital letters."""
        return False


def _told(each: type) -> type:
    """As app/problems.py tells it, where it is a refusal."""
    if not issubclass(each, Refusal):
        return each
    status, name, title = problems.of(each)
    values: dict[str, Any] = {"type": name, "title": title, "status": status.value}
    members: dict[str, Any] = {field: (kind, ...) for field, kind in get_type_hints(each).items()}
    for field, value in values.items():
        members[field] = (type(value), Field(json_schema_extra={"const": value}))
    return create_model(each.__name__, __base__=Problem, __doc__=_words(each), **members)


def _words(refusal: type[Refusal]) -> str | None:
    """None where there is only the signature that a dataclass gets as a docstring."""
    words = refusal.__doc__ or ""
    return None if words.startswith(f"{refusal.__name__}(") else words


def _never_null(schema: Json) -> Json:
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf" and (key, value) != ("default", None)}
    return rest | (kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {})
