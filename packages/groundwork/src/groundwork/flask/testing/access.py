"""Access rules of an API: its routes, and what callers get whom a route does not name."""

import re
from collections.abc import Mapping

from flask import Flask
from flask.testing import FlaskClient

from groundwork.flask.http.openapi import operation
from groundwork.flask.http.openapi.operation import Operation


def every_route(app: Flask) -> dict[str, Operation | None]:
    """Return each route, such as `GET /api/users/<user>`, with its `Operation`, if it has one."""
    return {
        f"{method} {rule.rule.replace('<id:', '<').replace('_id>', '>')}": operation.find(
            app.view_functions[rule.endpoint]
        )
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def refusals(app: Flask, client: FlaskClient, role: str | None, headers: Mapping[str, str]) -> dict[str, int]:
    """Call each route that the role may not call, with 1 as each id; return the statuses by route."""
    refused = {}
    for name, promised in every_route(app).items():
        if promised is None or (promised.allowed.roles and role not in promised.allowed.roles):
            method, _, address = name.partition(" ")
            answer = client.open(re.sub("<.*?>", "1", address), method=method, json={}, headers=headers)
            refused[name] = answer.status_code
    return refused
