"""Scenarios, loaded into a database at the head of the migrations."""

import pytest

from groundwork.scenarios import project
from groundwork.testing.service import Database

SCENARIOS = [pytest.param(name, marks=pytest.mark.scenario(name)) for name in project.scenario_names()]


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_service_answers_on_a_scenario(database: Database, name: str) -> None:
    answer = database.app().test_client().get("/api/items?limit=1")

    assert answer.status_code == 200
    assert len(answer.get_json()["items"]) == 1
