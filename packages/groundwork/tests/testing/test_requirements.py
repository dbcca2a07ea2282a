"""Markers for tests that need more than Python and git."""

import re

import pytest

from groundwork.testing import requirements


def test_each_need_that_a_test_can_be_marked_with_is_looked_for(pytestconfig: pytest.Config) -> None:
    registered = re.findall(r"^(\w+): needs ", "\n".join(pytestconfig.getini("markers")), flags=re.MULTILINE)

    assert sorted(registered) == sorted(requirements.WHY_MISSING)
