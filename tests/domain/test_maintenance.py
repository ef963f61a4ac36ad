"""When an exchange is closed for work, entries wait: from a cycle before it begins until it is over, and no longer."""

import pytest

from lib.domain import reason_codes as codes
from lib.domain.gates import entry_refusal
from lib.domain.maintenance import Maintenance, entries_wait, still_announced
from lib.domain.order import CYCLE_MS
from lib.domain.reason import NOTHING
from tests.factories import T, decision, facts, instrument, settings

BEGIN, END = T + 3_600_000, T + 7_200_000


def work(**changes: object) -> Maintenance:
    return Maintenance(**{"begin_ms": BEGIN, "end_ms": END, "is_ongoing": False, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now_ms", "waits"),
    [
        (BEGIN - CYCLE_MS - 1, False),
        (BEGIN - CYCLE_MS, True),
        (BEGIN, True),
        (END - 1, True),
        (END, False),
    ],
)
def test_entries_wait_from_a_cycle_before_until_it_is_over(now_ms: int, waits: bool) -> None:
    assert bool(entries_wait([work()], "1", now_ms)) is waits


def test_what_has_begun_and_not_ended_stands_whatever_its_times_say() -> None:
    assert entries_wait([work(is_ongoing=True)], "1", END + 10**9)
    assert entries_wait([work(is_ongoing=True)], "1", 0)


def test_the_reason_says_until_when_and_the_longest_stands_for_all() -> None:
    later = work(end_ms=END + 60_000)
    said = entries_wait([work(), later, work(end_ms=END - 60_000)], "1", BEGIN)
    assert said == codes.MAINTENANCE_UNTIL(until=END + 60_000)
    assert said == entries_wait([later], "1", BEGIN)
    endless = work(end_ms=0)
    assert entries_wait([work(), endless], "1", BEGIN) == codes.MAINTENANCE()
    assert entries_wait([endless], "1", BEGIN - CYCLE_MS - 1) == NOTHING


def test_it_is_about_some_accounts_where_it_says_so() -> None:
    some = work(uid_ends=("3", "17"))
    assert [bool(entries_wait([some], uid, BEGIN)) for uid in ("103", "117", "101", "7", "")] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_without_an_announcement_nobody_waits() -> None:
    assert entries_wait([], "1", T) == NOTHING


def test_what_cannot_be_asked_for_long_is_believed_until_the_end_it_named() -> None:
    known = [work(), work(end_ms=0, is_ongoing=True), work(end_ms=END + 1)]
    assert still_announced(known, END) == (known[2],)


def test_no_entry_passes_a_closed_market_and_exits_ask_no_gate() -> None:
    closed = facts(closed=codes.MAINTENANCE())
    assert entry_refusal(decision("buy"), "buy", closed, settings(), instrument(), T) == closed.closed
