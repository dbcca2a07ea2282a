"""Options of this project's tests. The fixtures come from the plugin `groundwork.testing`: docs/testing.md."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    contract = parser.getgroup("contract")
    contract.addoption("--cases", type=int, default=40, help="how many requests the API's document is tried with")
