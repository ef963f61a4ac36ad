"""Announcements from the wire: what touches our contracts at our venue, and nothing that cannot be read."""

from typing import Any

import pytest

from lib.adapters.bybit.rest.status_wire import maintenance_from
from lib.adapters.bybit.rest.wire import Envelope
from lib.domain.account import Venue
from lib.domain.maintenance import Maintenance

BEGIN, END = 1_751_596_902_000, 1_751_597_011_000
ROW: dict[str, Any] = {
    "id": "4d95b2a0",
    "title": "t06",
    "state": "ongoing",
    "begin": str(BEGIN),
    "end": str(END),
    "href": "",
    "serviceTypes": [2, 3, 4, 5],
    "product": [1, 2],
    "uidSuffix": [],
    "maintainType": 1,
    "env": 1,
}


def read(*rows: dict[str, Any], venue: Venue = "mainnet") -> tuple[Maintenance, ...]:
    return maintenance_from(Envelope(0, BEGIN, "", {"list": list(rows)}), venue)


def test_an_announcement_is_read() -> None:
    assert read(ROW) == (Maintenance(BEGIN, END, True),)
    later = ROW | {"state": "scheduled", "uidSuffix": [3, 17]}
    assert read(later) == (Maintenance(BEGIN, END, False, ("3", "17")),)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "completed"},
        {"state": "canceled"},
        {"product": [2, 3]},
        {"serviceTypes": [3, 4]},
        {"env": 2},
        {"env": "2"},
    ],
    ids=str,
)
def test_what_is_over_or_touches_others_keeps_no_entry_off(changes: dict[str, Any]) -> None:
    assert read(ROW | changes) == ()


@pytest.mark.parametrize("name", ["product", "serviceTypes", "env", "uidSuffix"])
def test_what_is_not_said_touches_everything(name: str) -> None:
    without = {key: value for key, value in ROW.items() if key != name}
    assert read(without) == (Maintenance(BEGIN, END, True),)
    assert read(ROW | {name: None}) == (Maintenance(BEGIN, END, True),)


def test_the_demos_announcements_are_the_demos() -> None:
    assert read(ROW | {"env": 2}, venue="demo") == (Maintenance(BEGIN, END, True),)
    assert read(ROW, venue="demo") == ()
    assert read(ROW, venue="paper") == (Maintenance(BEGIN, END, True),)


@pytest.mark.parametrize(
    "changes",
    [{"begin": "soon"}, {"end": "9" * 30}, {"begin": "-1"}, {"product": "all"}, {"uidSuffix": ["x"]}, {"env": {}}],
    ids=str,
)
def test_what_cannot_be_read_stops_nobody(changes: dict[str, Any]) -> None:
    assert read(ROW | changes, ROW) == (Maintenance(BEGIN, END, True),)


def test_no_end_is_no_end() -> None:
    assert read(ROW | {"end": "", "begin": None}) == (Maintenance(0, 0, True),)
