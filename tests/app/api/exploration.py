"""Requests made by schemathesis from the API's document, and what became of them."""

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

from app.reference.routes import routes

# A schema takes 1.0 for an integer, knows no domain that takes no mail, and no place in a list.
BEYOND_SCHEMAS = ("Input should be a valid integer", "Value is not a valid email address", "Is not a cursor")
# ignored_auth, which asks without the token too, cannot ask a WSGI app (4.32 gives it an argument that is requests').
# tests/app/api/test_callers.py asks every route without one.
KEY_REUSED = "urn:problem-type:shop:idempotency-key-reused"


@dataclass
class Findings:
    cases: Counter[str] = field(default_factory=Counter)
    """How many requests, by phase."""
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def explore(app: Flask, cases: int, token: dict[str, str]) -> Findings:
    """With at least so many requests, the same every time, with that token."""
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
    """False where a request was refused for what no schema can say; schemathesis knows this function by its name."""
    if not isinstance(failure, RejectedPositiveData):
        return True
    problem = response.json()
    details = [error["detail"] for error in problem.get("errors", [])]
    return problem["type"] != KEY_REUSED and not (details and all(each.startswith(BEYOND_SCHEMAS) for each in details))


def _failures(recorder: ScenarioRecorder) -> Iterator[str]:
    for checks in recorder.checks.values():
        for check in checks:
            if check.failure_info:
                failure = check.failure_info.failure
                yield "\n".join([f"{recorder.label}: {failure.title}", failure.message, check.failure_info.code_sample])
