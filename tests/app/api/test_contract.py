"""Whatever is sent by who has read the API's document, the answer is one that it promises, and never a 500."""

import pytest

from tests.service import Database


def test_no_answer_is_off_the_document(database: Database, pytestconfig: pytest.Config) -> None:
    from tests.app.api import exploration  # two seconds, which a run without this test does not wait for

    cases = pytestconfig.getoption("--cases")

    found = exploration.explore(database.app(), cases)

    assert not found.failures, "\n\n".join(found.failures)
    assert found.cases.keys() == {"examples", "coverage", "fuzzing", "stateful"}
    assert found.cases.total() >= cases
