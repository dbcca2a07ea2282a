"""Costs and configurations in docs/deploy.md: sums are correct, and configurations are valid."""

import json
import math
import re
from typing import Any

import pytest

from groundwork.configuration import loader, rules, schema
from groundwork.system import paths
from packages.groundwork.tests.docs import pages

PAGE = (pages.DOCS / "deploy.md").read_text("utf-8")
BILLS = [part.partition("\n### ")[0] for part in PAGE.partition("## What it costs")[2].split("\n### ")[1:3]]
ROW = re.compile(r"^\| (?!\*|What|-)[^|]+\| ([\d.× ]+) \| ([\d.]+) \| ([\d.]+) \|$", re.M)
TOTAL = re.compile(r"^\| \*\*Together\*\* \| \| \| \*\*([\d.]+)\*\* \|$", re.M)


@pytest.mark.parametrize("bill", BILLS, ids=["small", "large"])
def test_the_costs_of_a_size_add_up(bill: str) -> None:
    rows = ROW.findall(bill)

    assert len(rows) == bill.count("\n| ") - 2, "a row is written in another way"
    for quantity, price, cost in rows:
        assert math.prod(map(float, quantity.split("×"))) * float(price) == pytest.approx(float(cost), abs=0.005)
    (total,) = TOTAL.findall(bill)
    assert sum(float(cost) for _, _, cost in rows) == pytest.approx(float(total))


@pytest.mark.parametrize(
    "block", re.findall(r"^( *)```json\n(.*?)^ *```$", PAGE, re.M | re.S), ids=["first", "small", "large"]
)
def test_what_it_says_to_configure_is_a_configuration(block: tuple[str, str]) -> None:
    production = loader.read(paths.CONFIG / "production.json")

    document = merged(production, json.loads(block[1]))

    assert schema.problems(document) == {}
    assert rules.problems(document) == []


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {
        **old,
        **{name: merged(old[name], value) if isinstance(value, dict) else value for name, value in new.items()},
    }
