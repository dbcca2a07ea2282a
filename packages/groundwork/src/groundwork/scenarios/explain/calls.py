"""Calls that issue the app's queries: every GET route, and the services that the project names."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

SKIPPED = ("health.", "static")  # endpoints whose queries do not depend on the data


class RequestFailed(Exception):
    """A page responded with an error."""


@dataclass(frozen=True)
class Call:
    name: str
    issue: Callable[[Session], object]
    """Issues the queries; a page gets a request and uses the app's own session instead of the argument."""


class ProjectCalls(Protocol):
    """Functions of the project's module `calls`. They take their values from existing rows."""

    def sign_in(self, app: Flask) -> None:
        """Let all requests pass the app's authentication."""

    def route_arguments(self, session: Session) -> Mapping[str, object]:
        """Return values for route arguments, such as `order_id`; leave one out if the database has no row for it."""

    def query_strings(self, session: Session, path: str) -> Iterable[Mapping[str, object]]:
        """Yield the queries with which to request this path, in addition to the request without one."""

    def services(self, session: Session) -> Iterable[Call]:
        """Yield calls of services; leave out a call if the database lacks the rows for it."""


def find_all(app: Flask, session: Session, project: ProjectCalls) -> Iterator[Call]:
    """Yield the calls; skip a route if the database lacks the rows for its arguments."""
    project.sign_in(app)
    yield from _pages(app, session, project)
    yield from project.services(session)


def _pages(app: Flask, session: Session, project: ProjectCalls) -> Iterator[Call]:
    client, address = app.test_client(), app.url_map.bind("localhost")
    known = project.route_arguments(session)
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if _is_measured(rule) and rule.arguments <= known.keys():
            path = address.build(rule.endpoint, {name: known[name] for name in rule.arguments})
            yield _request(client, f"GET {rule.rule}", path)
            for query in project.query_strings(session, path):
                yield _request(client, f"GET {rule.rule}?{'=…&'.join(query)}=…", f"{path}?{urlencode(query)}")


def _is_measured(rule: Rule) -> bool:
    return "GET" in (rule.methods or ()) and not rule.endpoint.startswith(SKIPPED) and "filename" not in rule.arguments


def _request(client: FlaskClient, name: str, path: str) -> Call:
    def get(_: Session) -> None:
        response = client.get(path)
        if response.status_code >= 400:
            raise RequestFailed(f"GET {path} responded with {response.status}")

    return Call(name, get)
