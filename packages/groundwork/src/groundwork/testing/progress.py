"""Pytest plugin of `inv test` that shows progress instead of dots: percentage, failures and files.

On a terminal, it redraws one line. Elsewhere, it prints a line when the first test of a file begins, so that the last
lines of a hanging run show the place. With -v or -q, pytest reports as usual.
"""

import shutil
from collections.abc import Generator
from typing import Any

import pytest


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    reporter = config.pluginmanager.getplugin("terminalreporter")  # xdist workers have none
    if reporter is not None and config.get_verbosity() == 0:
        reporter.showfspath = False
        config.pluginmanager.register(Progress(reporter))


class Progress:
    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self._reporter = reporter
        self._session: pytest.Session | None = None  # while the tests run
        self._running: list[str] = []
        self._seen: set[str] = set()
        self._done = self._failed = 0

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._session = session

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._running.append(nodeid)
        file = _file(nodeid)
        if self._reporter.isatty:
            self._redraw()
        elif file not in self._seen:
            self._reporter.write_line(f"{self._state()}  {file}", flush=True)
        self._seen.add(file)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._running.remove(nodeid)
        self._done += 1

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self, report: Any) -> Generator[None, Any, Any]:
        """Suppress the letter of a finished test. Leave the words that the summary requests."""
        category, letter, word = yield
        if self._session is None:
            return category, letter, word
        if report.failed:
            self._failed += 1
            self._erase()
            self._reporter.write_line(f"FAILED  {report.nodeid}", red=True)
        return category, "", ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        self._session = None
        self._erase()

    def _erase(self) -> None:
        if self._reporter.isatty:
            self._reporter.rewrite("", erase=True)
            self._reporter.write("\r", flush=True)

    def _redraw(self) -> None:
        files = ", ".join(dict.fromkeys(map(_file, self._running)))
        width = shutil.get_terminal_size().columns - 1
        self._reporter.rewrite(f"{self._state()}  {files}"[:width], erase=True)
        self._reporter.flush()

    def _state(self) -> str:
        collected = self._session.testscollected if self._session else 0
        share = f"{100 * self._done // max(1, collected):3}%"
        return f"{share}  {self._failed} failed" if self._failed else share


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]
