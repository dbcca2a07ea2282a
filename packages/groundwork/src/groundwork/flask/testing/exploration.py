"""Requests that schemathesis generates from the OpenAPI document, and their results."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from flask import Flask
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.openapi.checks import RejectedPositiveData

from groundwork.flask.http.openapi.routes import routes

# A schema accepts 1.0 as an integer, and knows neither domains without mail nor valid cursors.
BEYOND_SCHEMAS = ("Input should be a valid integer", "Value is not a valid email address", "Is not a cursor")
# The check ignored_auth, which omits the token, fails for WSGI apps: 4.32 passes them an argument of requests.
# A project's tests/app/api/test_auth.py calls every route without a token.
DOMAIN_RULES = (":idempotency-key-reused", ":known-password")


@dataclass
class Findings:
    cases: Counter[str] = field(default_factory=Counter)
    """Number of requests, by phase."""
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def explore(app: Flask, cases: int, token: dict[str, str]) -> Findings:
    """Send about `cases` generated requests with this token. They are the same every time."""
    generation = {"max-examples": cases // len(routes(app)), "deterministic": True, "database": "none"}
    config = SchemathesisConfig.from_dict(
        {"seed": 1, "generation": generation, "headers": token, "checks": {"ignored_auth": {"enabled": False}}}
    )
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app, config=config)
    schema.hook(filter_failure)
    found = Findings()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            found.cases[event.phase.value] += len(event.recorder.cases)
            found.statuses += Counter(
                each.response.status_code for each in event.recorder.interactions.values() if each.response
            )
            found.failures += _failures(event.recorder)
        elif isinstance(event, events.NonFatalError):
            found.failures.append(f"{event.label}: {event.value!r}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    return found


def filter_failure(_context: Any, failure: Any, _case: Any, response: Any) -> bool:
    """Return False for a refusal that no schema can express. schemathesis finds this function by its name."""
    if not isinstance(failure, RejectedPositiveData):
        return True
    problem = response.json()
    details = [error["detail"] for error in problem.get("errors", [])]
    if problem["type"].endswith(DOMAIN_RULES):
        return False
    return not (details and all(each.startswith(BEYOND_SCHEMAS) for each in details))


def _failures(recorder: ScenarioRecorder) -> Iterator[str]:
    for checks in recorder.checks.values():
        for check in checks:
            if check.failure_info:
                failure = check.failure_info.failure
                yield "\n".join([f"{recorder.label}: {failure.title}", failure.message, check.failure_info.code_sample])
