"""What a drill makes of what it saw: impacts, verdicts, the look-up of the orders, the table and the page."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from invoke.exceptions import Exit

from ops.drill import impact, ledger, moments, page, table
from ops.drill.exercise import Outcome
from ops.drill.faults import EVERY, chosen
from ops.drill.strike import (
    AWAY,
    IN_FLIGHT,
    NOTHING,
    UNAVAILABLE_FOR_A_WHILE,
    UNREACHABLE_FOR_A_WHILE,
    Expectation,
    Strike,
)
from ops.load.attempt import Attempt
from ops.load.shop import Order

STRIKE = Strike("a fault", began=100, struck=101, restored=105, ended=120)


def attempt(
    start: float,
    seconds: float = 0.01,
    status: int = 200,
    *,
    first: bool = True,
    last: bool = True,
    retry_after: bool = False,
) -> Attempt:
    error = "" if status else "Reset"
    return Attempt("GET /", first, last, start, seconds, status, error, retry_after=retry_after)


def retried(start: float, status: int = 502, *, retry_after: bool = False) -> Attempt:
    return attempt(start, status=status, last=False, retry_after=retry_after)


@pytest.mark.parametrize(
    ("expectation", "failed", "passes"),
    [
        (NOTHING, retried(101), False),
        (IN_FLIGHT, retried(100.9), True),
        (IN_FLIGHT, retried(101.1), False),
        (AWAY, retried(104.9), True),
        (AWAY, retried(105.1), False),
        (UNAVAILABLE_FOR_A_WHILE, retried(104, 503, retry_after=True), True),
        (UNAVAILABLE_FOR_A_WHILE, retried(106.9, 503, retry_after=True), True),
        (UNAVAILABLE_FOR_A_WHILE, retried(107.1, 503, retry_after=True), False),
        (UNAVAILABLE_FOR_A_WHILE, retried(104, 503), False),
        (UNAVAILABLE_FOR_A_WHILE, retried(104, 500, retry_after=True), False),
        (UNREACHABLE_FOR_A_WHILE, retried(104, 504), True),
        (UNREACHABLE_FOR_A_WHILE, retried(111.1, 504), False),
        (UNREACHABLE_FOR_A_WHILE, retried(104, 503, retry_after=True), True),
        *[(each, attempt(100.5, status=503, retry_after=True), False) for each in (IN_FLIGHT, AWAY)],
    ],
)
def test_what_may_fail_depends_on_what_was_done(expectation: Expectation, failed: Attempt, passes: bool) -> None:
    found = impact.of(STRIKE, expectation, [attempt(100), failed])

    assert (not found.problems) == passes


def test_an_attempt_belongs_to_the_fault_in_which_it_ended() -> None:
    before, across, after = attempt(98), attempt(99, seconds=2, status=502), attempt(119, seconds=2)

    found = impact.of(STRIKE, IN_FLIGHT, [before, across, after])

    assert (found.requests, found.lost, found.slowest) == (1, 1, 2)


def test_a_request_that_is_sent_again_is_one_request() -> None:
    sent = [retried(101), attempt(102, status=0, first=False, last=False), attempt(103, first=False)]

    found = impact.of(STRIKE, AWAY, sent)

    assert (found.requests, found.lost, found.retried) == (1, 0, 2)
    assert found.faults == {"502": 1, "Reset": 1}


def test_being_asked_to_slow_down_is_no_failure() -> None:
    found = impact.of(STRIKE, NOTHING, [attempt(101, status=429, last=False), attempt(102, first=False)])

    assert found.problems == []


def test_a_fault_that_could_not_be_done_is_a_problem() -> None:
    strike = Strike("a fault", began=100, restored=101, ended=110, problem="no such container")

    assert impact.of(strike, NOTHING, []).problems == ["no such container"]


def test_seconds_of_impact_count_what_overlaps_once_and_join_what_is_close() -> None:
    overlapping = [attempt(10, seconds=2), attempt(11, seconds=2)]
    close, later = attempt(13.5, seconds=0.5), attempt(30, seconds=1.5)

    assert impact.disturbed([later, close, *overlapping]) == pytest.approx(4 + 1.5)
    assert impact.disturbed([]) == 0


def test_orders_are_known_by_their_pieces() -> None:
    good = Order("key-1", user_id=1, product_id=7, quantity=1, acknowledged=501)
    missing = Order("key-2", user_id=1, product_id=7, quantity=2, acknowledged=502)
    twice = Order("key-3", user_id=1, product_id=7, quantity=3, acknowledged=503)
    unanswered = Order("key-4", user_id=1, product_id=7, quantity=4)

    audit = ledger.audit([good, missing, twice, unanswered], {(7, 1): [501], (7, 3): [503, 504]})

    assert (audit.sent, audit.acknowledged, audit.placed) == (4, 3, 3)
    assert (audit.missing, audit.twice, audit.passed) == ([missing], [twice], False)


def test_an_order_that_was_answered_with_anothers_number_is_missing() -> None:
    order = Order("key", user_id=1, product_id=7, quantity=1, acknowledged=9)

    assert ledger.audit([order], {(7, 1): [8]}).missing == [order]


def test_every_second_has_its_moment() -> None:
    found = moments.of([attempt(50, seconds=0.2), attempt(50, seconds=0.4, status=502), attempt(52, seconds=0.5)])

    assert [(each.at, each.answered, each.failed) for each in found] == [(0, 1, 1), (1, 0, 0), (2, 1, 0)]
    assert (found[0].median, found[0].slow) == (0.2, 0.4)
    assert moments.of([]) == []


def test_the_row_of_a_fault(outcome: Outcome) -> None:
    assert table.row(outcome.impacts[0]) == (
        *("a <fault>", "0.0", "2", "0", "1", "0.01 s", "nothing fails", "✗ 1 × 502"),
    )


def test_the_sentences_name_what_is_missing(outcome: Outcome) -> None:
    requests, orders, *missing = table.sentences(outcome)

    assert requests == "2 requests in 3 attempts, of which 1 failed"
    assert orders.endswith("7 acknowledged and missing, 0 there more than once")
    assert missing[0] == "missing: order 1, Idempotency-Key key-0"
    assert missing[-1] == "missing: 2 more"


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
    strike = Strike("a <fault>", began=100, restored=102, ended=110)
    orders = [Order(f"key-{number}", 1, 7, number, acknowledged=number + 1) for number in range(7)]
    return Outcome([impact.of(strike, NOTHING, attempts)], attempts, ledger.audit(orders, {}))
