"""Files that are generated from the code: config/schema.json and openapi.json."""

from flask import Flask

from groundwork.configuration import schema
from groundwork.flask.http.openapi import document, operation
from groundwork.flask.http.openapi.routes import routes
from groundwork.system import paths
from groundwork.tasks.config import files

WRITE_ANEW = "./inv run 'flask --app wsgi openapi' >openapi.json"


def test_the_committed_schema_is_what_the_classes_make() -> None:
    assert schema.PATH.read_text("utf-8") == files.generate_schema(), "run `inv config.schema` and commit"


def test_the_committed_document_is_what_the_routes_make(app: Flask) -> None:
    committed = (paths.ROOT / "openapi.json").read_text("utf-8")

    assert committed == document.text(app), f"the API has changed; write it anew: {WRITE_ANEW}"


def test_every_route_of_the_api_is_in_the_document_with_a_name_of_its_own_and_words(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")}
    promised = routes(app)

    assert {endpoint for endpoint in endpoints if operation.find(app.view_functions[endpoint]) is None} == set()
    assert len({route.operation.id for route in promised}) == len(promised)
    assert all(route.summary for route in promised)
