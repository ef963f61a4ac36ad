"""The daily report: once a day, at the hour of their own day each chose; and keys that end are told in time, once."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from lib.clock import SteppedClock
from lib.domain import reason_codes as codes
from lib.domain.channel import REPORT_HOUR, TellingChoices
from lib.domain.events import DAY_MS, Event, EventKind, of_expiry
from lib.domain.position import ZERO
from lib.domain.stored_reason import parse, stored
from lib.domain.time_zones import time_zone
from lib.reason_text import said
from lib.telling.daily import LATE_H, DailyReports, Day, ModelDay, PlatformDay, Reader, VenueMoney, due
from tests.factories import T

NINE_KST = round(datetime(2026, 11, 30, 0, 0, 30, tzinfo=UTC).timestamp() * 1000)
HOUR_MS = 3_600_000
DAY = Day(Decimal(10_000), Decimal("12.34"), 3, None, codes.CHAT_FLAT())


class Morning:
    """*readers* who are told; *told* is (person, about)."""

    def __init__(self, *readers: Reader) -> None:
        self._readers = readers
        self.clock = SteppedClock(NINE_KST)
        self.told: list[tuple[int, Event]] = []
        self.since: list[int] = []
        self.platform = PlatformDay(5, 2, 1, 0)

    def readers(self) -> tuple[Reader, ...]:
        return self._readers

    def day(self, user_id: int, since_ms: int) -> Day | None:
        self.since.append(since_ms)
        return DAY

    def platform_day(self, since_ms: int) -> PlatformDay:
        self.since.append(since_ms)
        return self.platform

    def look(self, *, fresh: bool = False) -> list[int]:
        if fresh or not hasattr(self, "_reports"):
            self._reports = DailyReports(self, lambda person, _, event: self.told.append((person, event)), self.clock)
        before = len(self.told)
        self._reports.look()
        return [person for person, _ in self.told[before:]]


def test_each_is_told_at_the_hour_of_their_own_day_and_the_platform_at_nine_in_korea() -> None:
    seoul, berlin, late = (
        Reader(1, 11, "ko", "", REPORT_HOUR),
        Reader(2, 12, "en", "Europe/Berlin", 1),
        Reader(3, 13, "ko", "", 10),
    )
    morning = Morning(seoul, berlin, late)
    assert morning.look() == [1, 2, 0]
    assert morning.look() == []
    assert set(morning.since) == {NINE_KST - 30_000 - DAY_MS}
    morning.clock.advance_to(NINE_KST + HOUR_MS)
    assert morning.look() == [3]
    morning.clock.advance_to(NINE_KST + DAY_MS)
    assert morning.look() == [1, 2, 0]
    kinds = {event.kind for _, event in morning.told}
    assert kinds == {EventKind.DAILY}


def test_the_platform_s_report_tells_money_cost_and_what_went_wrong_in_both_languages() -> None:
    morning = Morning()
    morning.platform = PlatformDay(
        5, 2, 1, 0,
        (VenueMoney("paper", 3, Decimal("30000.5"), Decimal("-12.25")), VenueMoney("demo", 2, Decimal(900), ZERO)),
        (ModelDay("gpt-5-mini", 288, Decimal("1.5")), ModelDay("local-rules", 12, None)),
        ((EventKind.LIQUIDATION, 1), (EventKind.REPAIRED, 2)),
    )  # fmt: skip
    assert morning.look() == [0]
    why = morning.told[0][1].why
    assert parse(stored(why, 4_000)) == why, "a row holds it whole"
    assert said(why, "ko") == (
        "계정 5개, 포지션이 열린 계정 2개, 끝나지 않은 주문 1건, 정지된 계정 0개. "
        "모의투자 3개 계정 자산 30,000.50 USDT, 24시간 -12.25 USDT, "
        "Bybit 데모 거래 2개 계정 자산 900 USDT, 24시간 0 USDT. "
        "분석 gpt-5-mini 288건 $1.50, 분석 local-rules 12건(가격 미확인). 강제 청산 1건, 손절 주문 복구 2건"
    )
    assert said(why, "en") == (
        "accounts: 5, holding a position: 2, orders not settled: 1, stopped: 0; "
        "paper trading: 3 accounts with 30,000.50 USDT, 24 hours brought -12.25 USDT, "
        "Bybit demo trading: 2 accounts with 900 USDT, 24 hours brought 0 USDT; "
        "the analyst gpt-5-mini: 288 calls, $1.50, the analyst local-rules: 12 calls, price not known; "
        "Liquidated: 1, Stop restored: 2"
    )


def test_a_day_without_anything_says_so() -> None:
    morning = Morning()
    morning.look()
    assert said(morning.told[0][1].why, "en").endswith(
        "no equity was recorded; the analyst was not asked; no incidents"
    )


def test_a_restart_tells_the_same_thing_again_which_the_outbox_keeps_once() -> None:
    morning = Morning(Reader(1, 11, "ko", "", REPORT_HOUR))
    morning.look()
    morning.look(fresh=True)
    assert len({(person, event.about) for person, event in morning.told}) == 2


@pytest.mark.parametrize("hour", [0, 9, 23])
def test_a_report_is_of_its_hour_and_not_told_hours_late(hour: int) -> None:
    zone = time_zone("America/New_York")
    assert zone is not None
    at = round(datetime(2026, 11, 30, hour, 0, tzinfo=zone).timestamp() * 1000)
    assert due(at - 1, zone, hour) == ""
    assert due(at, zone, hour) == "2026-11-30"
    if hour + LATE_H < 24:
        assert due(at + LATE_H * HOUR_MS, zone, hour) == ""


def test_hours_outside_a_day_are_no_choice() -> None:
    assert TellingChoices(report_hour=23).are_whole
    assert not TellingChoices(report_hour=24).are_whole
    assert not replace(TellingChoices(), report_hour=-1).are_whole


def test_a_key_that_ends_is_told_a_week_three_days_and_a_day_before_once_each() -> None:
    ends = T + 10 * DAY_MS
    told = [of_expiry(7, ends, T + hour * HOUR_MS) for hour in range(11 * 24)]
    abouts = list(dict.fromkeys(event.about for event in told if event))
    assert abouts == [f"key:7:{ends}:{days}" for days in (7, 3, 1)]
    assert of_expiry(7, 0, T) is None
    assert told[-1] is None, "it has ended"
