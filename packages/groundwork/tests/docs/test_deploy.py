"""Costs and configurations in docs/deploy.md: sums are correct, and configurations are valid."""

import json
import re
from typing import Any

import pytest

from groundwork.configuration import loader, rules, schema
from groundwork.system import paths
from packages.groundwork.tests.docs import pages

PAGE = (pages.DOCS / "deploy.md").read_text("utf-8")
BILL = PAGE.partition("## What it costs")[2].partition("\n## ")[0]
ROW = re.compile(r"^\| [^*|]+ \|[\d., ]*\| ([\d.]+) \| ([\d.]+) \|$", re.M)
TOTALS = re.compile(r"^\| \*\*Together\*\* \| \| \*\*([\d.]+)\*\* \| \*\*([\d.]+)\*\* \|$", re.M)


def test_the_costs_of_each_size_add_up() -> None:
    rows, (totals,) = ROW.findall(BILL), TOTALS.findall(BILL)

    assert len(rows) == BILL.count("\n| ") - 2, "a row is written in another way"
    for costs, total in zip(zip(*rows, strict=True), totals, strict=True):
        assert sum(map(float, costs)) == pytest.approx(float(total))


def test_what_it_says_to_configure_is_a_configuration() -> None:
    (block,) = re.findall(r"^ *```json\n(.*?)^ *```$", PAGE, re.M | re.S)
    production = loader.read(paths.CONFIG / "production.json")

    document = merged(production, json.loads(block))

    assert schema.problems(document) == {}
    assert rules.problems(document) == []


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {
        **old,
        **{name: merged(old[name], value) if isinstance(value, dict) else value for name, value in new.items()},
    }
