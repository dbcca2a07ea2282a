"""Requests that follow the OpenAPI document get documented responses, and never a 500."""

import pytest

from groundwork.testing.service import Database
from tests.accounts import clerk


def test_no_answer_is_off_the_document(database: Database, pytestconfig: pytest.Config) -> None:
    from groundwork.flask.testing import exploration  # two seconds, which a run without this test does not wait for

    cases = pytestconfig.getoption("--cases")

    with database.session() as session:
        token = clerk(session)
        session.commit()

    found = exploration.explore(database.app(), cases, token)

    assert not found.failures, "\n\n".join(found.failures)
    assert found.cases.keys() == {"examples", "coverage", "fuzzing", "stateful"}
    assert found.cases.total() >= cases
    assert {200, 201, 204} <= found.statuses.keys()  # not refused altogether
