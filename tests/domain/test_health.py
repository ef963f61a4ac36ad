"""A day of health as a strip: the worst of each part of the day, and nothing where nobody looked."""

import pytest

from lib.domain.health import CANDLES, HEARTBEAT, PARTS, HealthPoint, State, is_current, share_ok, strip

HOUR = 3_600_000


def point(at_ms: int, state: State) -> HealthPoint:
    return HealthPoint(at_ms, (state,) * len(PARTS))


@pytest.mark.parametrize(
    ("age", "state"), [(None, "unknown"), (0, "ok"), (30, "ok"), (31, "late"), (120, "late"), (121, "down")]
)
def test_an_age_is_one_word(age: float | None, state: State) -> None:
    assert HEARTBEAT.state(age) == state
    assert CANDLES.state(75) == "ok"


def test_each_cell_is_the_worst_of_its_time_and_an_unseen_one_is_unknown() -> None:
    points = [point(HOUR // 2, "ok"), point(HOUR, "late"), point(3 * HOUR - 1, "ok"), point(4 * HOUR, "down")]
    assert strip(points, "trader", until_ms=4 * HOUR, span_ms=4 * HOUR, cells=4) == ["ok", "late", "ok", "down"]
    assert strip(points[:2], "trader", until_ms=4 * HOUR, span_ms=4 * HOUR, cells=4)[2:] == ["unknown", "unknown"]


def test_what_lies_outside_the_day_is_not_in_it() -> None:
    assert strip([point(0, "down"), point(9 * HOUR, "down")], "stream", until_ms=HOUR, span_ms=HOUR, cells=2) == [
        "unknown", "unknown"
    ]  # fmt: skip


def test_the_share_is_of_what_was_seen() -> None:
    assert share_ok(["ok", "unknown", "late", "ok", "ok"]) == 0.75
    assert share_ok(["unknown"]) is None


def test_a_list_is_current_for_its_interval_and_a_grace_and_one_without_candles_never() -> None:
    assert is_current("1m", 150)
    assert not is_current("1m", 151)
    assert is_current("15m", 15 * 60 + 90)
    assert not is_current("15m", 15 * 60 + 91)
    assert not is_current("5m", None)
