"""Whatever is sent by who has read the API's document, the answer is one that it promises, and never a 500."""

import pytest

from tests.service import Database, clerk


def test_no_answer_is_off_the_document(database: Database, pytestconfig: pytest.Config) -> None:
    from tests.app.api import exploration  # two seconds, which a run without this test does not wait for

    cases = pytestconfig.getoption("--cases")

    with database.session() as session:
        token = clerk(session)
        session.commit()

    found = exploration.explore(database.app(), cases, token)

    assert not found.failures, "\n\n".join(found.failures)
    assert found.cases.keys() == {"examples", "coverage", "fuzzing", "stateful"}
    assert found.cases.total() >= cases
    assert {200, 201, 204} <= found.statuses.keys()  # not refused altogether
