"""The hash chain shows an edited, a removed and a reordered event."""

from dataclasses import replace

import pytest

from lib.domain.audit_chain import GENESIS, OrderEvent
from tests.chains import chain_problem

LINK = "mmt3st-mgk5-1-1-e0"


def chain() -> list[tuple[OrderEvent, str]]:
    first = OrderEvent(LINK, 1, "", "PLANNED", "planned", 0, GENESIS)
    second = OrderEvent(LINK, 2, "PLANNED", "SUBMITTING", "claimed", 0, first.hash)
    third = OrderEvent(LINK, 3, "SUBMITTING", "FILLED", "filled", 0, second.hash)
    return [(event, event.hash) for event in (first, second, third)]


def test_an_untouched_chain_holds() -> None:
    assert chain_problem(chain()) == ""
    assert chain_problem([]) == ""


@pytest.mark.parametrize(
    "change",
    [{"why": "another"}, {"at_ms": 9}, {"code": 1}, {"after": "BLOCKED"}, {"before": ""}, {"order_link_id": "mmx"}],
)
def test_an_edited_event_shows(change: dict[str, object]) -> None:
    events = chain()
    events[1] = (replace(events[1][0], **change), events[1][1])  # type: ignore[arg-type]
    assert "event 1 was changed" in chain_problem(events)


def test_an_edited_event_with_a_fresh_hash_shows_at_the_next() -> None:
    events = chain()
    edited = replace(events[1][0], why="another")
    events[1] = (edited, edited.hash)
    assert "before 2 is missing" in chain_problem(events)


def test_a_removed_or_moved_event_shows() -> None:
    events = chain()
    assert "before 0 is missing" in chain_problem(events[1:])
    assert "before 1 is missing" in chain_problem([events[0], events[2]])
    assert "missing" in chain_problem([events[0], events[2], events[1]])


def test_an_event_must_start_where_the_last_one_ended() -> None:
    first = OrderEvent(LINK, 1, "", "PLANNED", "planned", 0, GENESIS)
    second = OrderEvent(LINK, 2, "ACCEPTED", "FILLED", "filled", 0, first.hash)
    assert "starts from ACCEPTED" in chain_problem([(first, first.hash), (second, second.hash)])
