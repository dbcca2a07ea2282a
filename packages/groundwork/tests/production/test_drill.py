"""Evaluation of a drill: impacts, verdicts, the audit of the writes, the table and the page."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from groundwork.production import stack
from groundwork.production.drill import buckets, impact, page, table
from groundwork.production.drill.audit import audit
from groundwork.production.drill.fault_run import (
    AWAY,
    IN_FLIGHT,
    LOCKED_FOR_A_WHILE,
    NOTHING,
    SILENT_FOR_A_WHILE,
    UNAVAILABLE_FOR_A_WHILE,
    UNAVAILABLE_FOR_WRITES,
    UNREACHABLE_FOR_A_WHILE,
    Expectation,
    Strike,
)
from groundwork.production.drill.faults import EVERY, chosen
from groundwork.production.drill.runner import Outcome
from groundwork.production.drill.stage import Stage
from groundwork.production.load.attempt import Attempt
from groundwork.system.errors import Exit
from packages.groundwork.tests.production.traffic import notes

STRIKE = Strike("a fault", began=100, struck=101, restored=105, ended=120, harm="its process is gone")
WRITE = "POST /notes"


def attempt(
    start: float,
    seconds: float = 0.01,
    status: int = 200,
    *,
    kind: str = "GET /",
    first: bool = True,
    last: bool = True,
    retry_after: bool = False,
) -> Attempt:
    error = "" if status else "Reset"
    return Attempt(kind, first, last, start, seconds, status, error, retry_after=retry_after)


def retried(start: float, status: int = 502, *, kind: str = "GET /", retry_after: bool = False) -> Attempt:
    return attempt(start, status=status, kind=kind, last=False, retry_after=retry_after)


HIT = retried(100.99)
"""Failed attempt that every fault permits, if it permits failures at all."""
ACKNOWLEDGED = attempt(110, status=201, kind=WRITE)
"""Write that is acknowledged after the fault."""


@pytest.mark.parametrize(
    ("expectation", "failed", "passes"),
    [
        (NOTHING, retried(101), False),
        (IN_FLIGHT, retried(100.999), True),
        (IN_FLIGHT, retried(101.1), False),
        (AWAY, retried(104.9), True),
        (AWAY, retried(105.1), False),
        (UNAVAILABLE_FOR_A_WHILE, retried(104, 503, retry_after=True), True),
        (UNAVAILABLE_FOR_A_WHILE, retried(106.9, 503, retry_after=True), True),
        (UNAVAILABLE_FOR_A_WHILE, retried(107.1, 503, retry_after=True), False),
        (UNAVAILABLE_FOR_A_WHILE, retried(104, 503), False),
        (UNAVAILABLE_FOR_A_WHILE, retried(104, 500, retry_after=True), False),
        (UNAVAILABLE_FOR_WRITES, retried(104, 503, kind=WRITE, retry_after=True), True),
        (UNAVAILABLE_FOR_WRITES, retried(104, 503, retry_after=True), False),
        (UNREACHABLE_FOR_A_WHILE, retried(104, 504), True),
        (UNREACHABLE_FOR_A_WHILE, retried(111.1, 504), False),
        (UNREACHABLE_FOR_A_WHILE, retried(104, 503, retry_after=True), True),
        (LOCKED_FOR_A_WHILE, retried(104, 503, retry_after=True), True),
        (LOCKED_FOR_A_WHILE, attempt(103, seconds=2), True),
        (LOCKED_FOR_A_WHILE, retried(104, 504), False),
        (SILENT_FOR_A_WHILE, retried(104.9, 504), True),
        (SILENT_FOR_A_WHILE, attempt(103, seconds=2), True),
        (SILENT_FOR_A_WHILE, retried(105.1, 504), False),
        *[(each, attempt(101, status=503, retry_after=True), False) for each in (IN_FLIGHT, AWAY)],
    ],
)
def test_what_may_fail_depends_on_what_was_done(expectation: Expectation, failed: Attempt, passes: bool) -> None:
    found = impact.of(STRIKE, expectation, [failed, ACKNOWLEDGED])

    assert (not found.problems) == passes


@pytest.mark.parametrize("expectation", {fault.expectation for fault in EVERY} - {NOTHING})
def test_a_fault_that_disturbs_no_request_fails_its_row(expectation: Expectation) -> None:
    before, undisturbed = attempt(98, status=503), attempt(104, seconds=0.9 if expectation.delays else 1.5)

    found = impact.of(STRIKE, expectation, [before, undisturbed, ACKNOWLEDGED])

    assert found.problems == ["the fault hit nothing: no request was disturbed"]


@pytest.mark.parametrize("expectation", {fault.expectation for fault in EVERY})
def test_harm_that_was_not_observed_fails_its_row(expectation: Expectation) -> None:
    found = impact.of(replace(STRIKE, harm=""), expectation, [HIT, ACKNOWLEDGED])

    assert "the fault hit nothing: no harm was observed" in found.problems


@pytest.mark.parametrize("expectation", {fault.expectation for fault in EVERY})
def test_answers_that_take_longer_than_the_limit_fail_their_row(expectation: Expectation) -> None:
    slow = [attempt(101 + number / 10, seconds=expectation.slowest + 0.1) for number in range(3)]

    found = impact.of(STRIKE, expectation, [HIT, *slow, ACKNOWLEDGED])

    assert expectation.slowest < 15
    assert f"3 took longer than {expectation.slowest:g} s" in found.problems
    assert f"at most {expectation.slowest:g} s" in table.row(found)[-2]


@pytest.mark.parametrize(("times", "problems"), [(2, []), (3, ["3 × 429"])])
def test_being_asked_to_slow_down_is_no_failure_unless_it_is_frequent(times: int, problems: Sequence[str]) -> None:
    refused = [attempt(101, status=429, kind=WRITE, last=False) for _ in range(times)]
    answered = [attempt(102) for _ in range(150)]

    assert impact.of(STRIKE, NOTHING, [*refused, *answered, ACKNOWLEDGED]).problems == problems


@pytest.mark.parametrize(
    "writes",
    [
        [],
        [attempt(110, status=429, kind=WRITE)],
        [attempt(104, status=201, kind=WRITE)],
        [attempt(119.999, seconds=1, status=201, kind=WRITE)],
    ],
)
def test_a_row_fails_where_no_write_is_acknowledged_after_the_fault(writes: Sequence[Attempt]) -> None:
    found = impact.of(STRIKE, NOTHING, [attempt(110), *writes])

    assert found.problems == ["no write was acknowledged after it"]


def test_an_attempt_belongs_to_the_fault_in_which_it_ended() -> None:
    before, across, after = attempt(98), attempt(99, seconds=2, status=502), attempt(119, seconds=2)

    found = impact.of(STRIKE, IN_FLIGHT, [before, across, after])

    assert (found.requests, found.lost, found.slowest) == (1, 1, 2)


def test_a_request_that_is_sent_again_is_one_request() -> None:
    sent = [retried(101), attempt(102, status=0, first=False, last=False), attempt(103, first=False)]

    found = impact.of(STRIKE, AWAY, sent)

    assert (found.requests, found.lost, found.retried) == (1, 0, 2)
    assert found.faults == {"502": 1, "Reset": 1}


def test_a_fault_that_could_not_be_done_is_a_problem() -> None:
    strike = Strike("a fault", began=100, restored=101, ended=110, problem="no such container")

    assert impact.of(strike, NOTHING, []).problems[0] == "no such container"


def test_seconds_of_impact_count_what_overlaps_once_and_join_what_is_close() -> None:
    overlapping = [attempt(10, seconds=2), attempt(11, seconds=2)]
    close, later = attempt(13.5, seconds=0.5), attempt(30, seconds=1.5)

    assert impact.disturbed([later, close, *overlapping]) == pytest.approx(4 + 1.5)
    assert impact.disturbed([]) == 0


@pytest.mark.parametrize("unanswered", [{}, {3: ["note 3"]}])
def test_rows_that_agree_with_what_was_sent_pass(unanswered: dict[int, Any]) -> None:
    found = audit(notes(1, 2, None), {1: ["note 1"], 2: ["note 2"], **unanswered}, [])

    assert (found.sent, found.acknowledged, found.stored) == (3, 2, 2 + len(unanswered))
    assert found.passed


def test_writes_that_are_lost_or_stored_twice_are_found_by_their_content() -> None:
    traffic = notes(1, 2)

    found = audit(traffic, {2: ["note 2"], 3: ["note 2"]}, [])

    assert (found.missing, found.twice, found.passed) == ([traffic.writes[0]], [traffic.writes[1]], False)


def test_a_write_that_was_answered_with_anothers_number_is_missing() -> None:
    traffic = notes(1, 9)

    found = audit(traffic, {1: ["note 1"], 2: ["note 2"]}, [])

    assert (found.missing, found.different) == ([traffic.writes[1]], [2])


@pytest.mark.parametrize("acknowledged", [1, None])
def test_a_row_with_other_content_than_was_sent_is_found(acknowledged: int | None) -> None:
    found = audit(notes(acknowledged, 2), {1: ["note 2 and more"], 2: ["note 2"]}, [])

    assert (found.different, found.passed) == ([1], False)


def test_a_broken_rule_fails_the_audit() -> None:
    assert not audit(notes(1), {1: ["note 1"]}, ["a rule is broken"]).passed


def test_every_second_has_its_moment() -> None:
    found = buckets.of([attempt(50, seconds=0.2), attempt(50, seconds=0.4, status=502), attempt(52, seconds=0.5)])

    assert [(each.at, each.answered, each.failed) for each in found] == [(0, 1, 1), (1, 0, 0), (2, 1, 0)]
    assert (found[0].median, found[0].slow) == (0.2, 0.4)
    assert buckets.of([]) == []


def test_the_row_of_a_fault(outcome: Outcome) -> None:
    assert table.row(outcome.impacts[0]) == (
        *("a <fault>", "it is gone", "0.0", "2", "0", "1", "0", "0.01 s", "nothing fails; at most 10 s"),
        "✗ 1 × 502; no write was acknowledged after it",
    )


def test_the_sentences_name_what_is_missing(outcome: Outcome) -> None:
    _, requests, writes, *missing = table.sentences(outcome)

    assert requests == "2 requests in 3 attempts, of which 1 failed"
    assert writes.startswith(
        "7 notes sent, 7 acknowledged, 1 in the database; 7 acknowledged and missing, 0 there more "
    )
    assert writes.endswith("1 with other content than was sent; 1 broken rules")
    assert missing[0] == "missing: 1, Idempotency-Key key-1"
    assert missing[5:] == ["missing: 2 more", "other than sent: notes 8", "broken rule: a sum is wrong"]


def test_the_page_needs_no_network_and_shows_each_fault(outcome: Outcome, tmp_path: Path) -> None:
    page.write(tmp_path / "reports" / "drill.html", outcome)

    written = (tmp_path / "reports" / "drill.html").read_text("utf-8")
    assert not re.search(r"(src|href)=|url\(|@import", written)
    assert "not as expected" in written
    assert "a &lt;fault&gt;" in written
    assert "a <fault>" not in written
    drawing = ElementTree.fromstring(written[written.index("<svg") : written.index("</svg>") + 6])  # noqa: S314  ours
    assert [each.text for each in drawing.iter("text") if each.get("class") == "number"] == ["1"]


def test_faults_are_chosen_by_name_and_keep_their_order() -> None:
    assert [fault.name for fault in chosen("database, worker")] == ["worker", "database"]
    assert chosen("") == EVERY


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ("worker,flood", "--faults: there is no flood; there are scale-up, "),
        ("rollback", "--faults: rollback goes back"),
    ],
)
def test_faults_that_cannot_be_are_refused(names: str, complaint: str) -> None:
    with pytest.raises(Exit, match=complaint):
        chosen(names)


@pytest.fixture
def outcome() -> Outcome:
    attempts = [attempt(100), retried(101), attempt(102, first=False)]
    strike = Strike("a <fault>", began=100, restored=102, ended=110, harm="it is gone")
    audited = audit(notes(*range(1, 8)), {8: ["a note of others"]}, ["a sum is wrong"])
    return Outcome([impact.of(strike, NOTHING, attempts)], attempts, audited)


def test_a_repeated_fault_takes_another_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "containers", lambda _: ["first", "second"])
    nothing: Any = None
    stage = Stage(nothing, 1, nothing)

    replicas: list[Any] = [stage.replica() for _ in range(3)]

    assert replicas == ["first", "second", "first"]
