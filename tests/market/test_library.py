"""The candle library asks once for what it does not have, goes on where it was interrupted, and tells every gap."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from lib.adapters.candle_shelf import ParquetShelf
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.errors import Retry
from lib.domain.months import month_span
from lib.market.library import TRIES, Library, Reel, Stopped
from tests.fakes.market import ScriptedMarket, SetClock, run_of

BEGIN, _ = month_span("2024-02")
DAY = 1_440
SYMBOL = "BTCUSDT"


def library(tmp_path: Path, truth: list[Candle], days: float = 3) -> tuple[Library, ScriptedMarket, list[float]]:
    market = ScriptedMarket(SetClock(BEGIN + round(days * DAY) * MINUTE_MS + 20_000), truth)
    rests: list[float] = []
    return Library(ParquetShelf(tmp_path, "here"), market, "rest here", market.clock, rests.append), market, rests


def test_a_month_is_asked_for_once_and_later_only_what_has_come_since(tmp_path: Path) -> None:
    made, market, _ = library(tmp_path, run_of(4 * DAY, start=BEGIN))
    span = (BEGIN, BEGIN + 2 * DAY * MINUTE_MS)
    assert made.fill(SYMBOL, span) == 3 * DAY
    assert list(made.read(SYMBOL, span).candles) == run_of(2 * DAY, start=BEGIN)
    assert market.calls == 5, "pages of a thousand"
    assert made.fill(SYMBOL, span) == 0
    market.clock.now += 60 * MINUTE_MS
    assert made.fill(SYMBOL, span) == 60
    assert market.calls == 6
    whole = made.read(SYMBOL, (BEGIN, BEGIN + 10 * DAY * MINUTE_MS))
    assert list(whole.candles) == run_of(3 * DAY + 60, start=BEGIN)
    assert whole.sources == ("rest here",)


def test_progress_is_told_and_whoever_stops_keeps_whole_months(tmp_path: Path) -> None:
    start, _ = month_span("2024-01")
    made, market, _ = library(tmp_path, run_of(33 * DAY, start=start), days=2)
    seen: list[tuple[int, int]] = []

    def go_on(done: int, whole: int) -> bool:
        seen.append((done, whole))
        return done < 31 * DAY + 1_000

    span = (start, BEGIN + DAY * MINUTE_MS)
    with pytest.raises(Stopped):
        made.fill(SYMBOL, span, go_on)
    assert [one.month for one in made.shelf.months(SYMBOL)] == ["2024-01"]
    assert {whole for _, whole in seen} == {33 * DAY}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    before = market.calls
    assert made.fill(SYMBOL, span) == 2 * DAY, "it goes on at the month that was not whole"
    assert market.calls - before == 3


def test_a_gap_and_what_cannot_be_true_are_told_and_not_filled_up(tmp_path: Path) -> None:
    truth = run_of(3 * DAY, start=BEGIN)
    truth[200] = replace(truth[200], high=Decimal(1))
    del truth[100:103]
    made, _, _ = library(tmp_path, truth[50:])
    made.fill(SYMBOL, (BEGIN, BEGIN + 1))
    found = made.read(SYMBOL, (BEGIN, BEGIN + DAY * MINUTE_MS))
    minutes = [((a - BEGIN) // MINUTE_MS, (b - BEGIN) // MINUTE_MS) for a, b in found.gaps]
    assert minutes == [(0, 50), (100, 103), (200, 201)]
    assert found.missing == 54
    assert made.fill(SYMBOL, (BEGIN, BEGIN + 1)) == 0, "what the venue does not have is not asked for again"


def test_a_venue_that_is_away_is_waited_for_and_then_given_up(tmp_path: Path) -> None:
    made, market, rests = library(tmp_path, run_of(3 * DAY, start=BEGIN))
    market.down = True
    with pytest.raises(Retry):
        made.fill(SYMBOL, (BEGIN, BEGIN + 1))
    assert rests == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert len(rests) == TRIES - 1
    assert made.shelf.months(SYMBOL) == []


def test_one_failure_costs_no_page(tmp_path: Path) -> None:
    made, market, rests = library(tmp_path, run_of(3 * DAY, start=BEGIN))

    def back(seconds: float) -> None:
        rests.append(seconds)
        market.down = False

    made.rest, market.down = back, True
    assert made.fill(SYMBOL, (BEGIN, BEGIN + 1)) == 3 * DAY
    assert made.read(SYMBOL, (BEGIN, BEGIN + 3 * DAY * MINUTE_MS)).gaps == ()
    assert rests == [1.0]


def test_a_damaged_file_is_asked_for_again(tmp_path: Path) -> None:
    made, _, _ = library(tmp_path, run_of(3 * DAY, start=BEGIN))
    span = (BEGIN, BEGIN + DAY * MINUTE_MS)
    made.fill(SYMBOL, span)
    (path,) = tmp_path.rglob("*.parquet")
    path.write_bytes(path.read_bytes()[:-1])
    assert len(made.read(SYMBOL, span).candles) == 0
    assert made.fill(SYMBOL, span) == 3 * DAY
    assert made.read(SYMBOL, span).gaps == ()


def test_a_file_fills_what_is_missing_and_changes_nothing_that_is_there(tmp_path: Path) -> None:
    made, _, _ = library(tmp_path, run_of(3 * DAY, start=BEGIN), days=1)
    made.fill(SYMBOL, (BEGIN, BEGIN + 1))
    made.take(SYMBOL, run_of(2 * DAY, start=BEGIN + 12 * 60 * MINUTE_MS, salt=9), "file a.csv")
    found = made.read(SYMBOL, (BEGIN, BEGIN + 3 * DAY * MINUTE_MS))
    assert list(found.candles[:DAY]) == run_of(DAY, start=BEGIN)
    assert found.candles[DAY] == run_of(DAY + 1, start=BEGIN, salt=9)[-1]
    assert found.sources == ("rest here", "file a.csv")
    assert found.missing == 720
    assert made.take(SYMBOL, [], "file b.csv") == []


def test_a_file_over_two_months_is_shelved_by_month(tmp_path: Path) -> None:
    made, _, _ = library(tmp_path, [])
    candles = run_of(60, start=BEGIN - 30 * MINUTE_MS)
    assert [one.month for one in made.take(SYMBOL, candles, "file a.csv")] == ["2024-01", "2024-02"]
    found = made.read(SYMBOL, (BEGIN - 10 * MINUTE_MS, BEGIN + 10 * MINUTE_MS))
    assert list(found.candles) == candles[20:40]
    assert found.candles[8:12] == candles[28:32]
    assert found.candles[-1] == candles[39]


def test_the_future_is_not_asked_for(tmp_path: Path) -> None:
    made, market, _ = library(tmp_path, [], days=0)
    assert made.fill(SYMBOL, (BEGIN + DAY * MINUTE_MS, BEGIN + 2 * DAY * MINUTE_MS)) == 0
    assert market.calls == 0


def test_an_empty_library_has_one_gap(tmp_path: Path) -> None:
    made, _, _ = library(tmp_path, [])
    span = (BEGIN, BEGIN + DAY * MINUTE_MS)
    found = made.read(SYMBOL, span)
    assert (len(found.candles), found.gaps, found.months) == (0, (span,), ())
    with pytest.raises(IndexError):
        Reel([])[0]
