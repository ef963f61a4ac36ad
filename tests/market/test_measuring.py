"""Markets are measured once for everybody, just before a boundary; trouble waits and ends nothing."""

from decimal import Decimal
from itertools import pairwise

import pytest

from lib.clock import SteppedClock
from lib.domain.errors import Halt, Retry
from lib.domain.measures import FRESH_MS, MEASURE_KINDS, PERIOD_MS, Measured, MeasureKind
from lib.market.measuring import LEAD_MS, Measuring
from lib.ports.market import MarketMeasures, MeasureStore

START = 1_760_000_100_000


class Venue(MarketMeasures):
    def __init__(self, clock: SteppedClock) -> None:
        self.clock = clock
        self.asked: list[tuple[int, str, MeasureKind]] = []
        self.trouble: Exception | None = None

    def measure(self, symbol: str, kind: MeasureKind) -> Measured:
        self.asked.append((self.clock.now_ms(), symbol, kind))
        if self.trouble is not None:
            raise self.trouble
        return Measured(kind, self.clock.now_ms(), {"rate": Decimal(1)})


class Shelf(MeasureStore):
    def __init__(self) -> None:
        self.kept: list[tuple[str, Measured]] = []

    def put(self, symbol: str, measured: Measured) -> None:
        self.kept.append((symbol, measured))

    def as_of(self, symbol: str, kind: MeasureKind, at_ms: int) -> Measured | None:
        raise NotImplementedError


def run(seconds: int, trouble: Exception | None = None) -> tuple[Venue, Shelf]:
    clock = SteppedClock(START)
    venue, shelf = Venue(clock), Shelf()
    venue.trouble = trouble
    measuring = Measuring(("BTCUSDT", "ETHUSDT"), venue, shelf, clock)
    for _ in range(seconds // 5):
        measuring.tick()
        clock.advance_to(clock.now_ms() + 5_000)
    return venue, shelf


def test_each_kind_is_asked_at_start_and_then_twenty_seconds_before_its_boundaries() -> None:
    venue, shelf = run(900)
    for kind in MEASURE_KINDS:
        asked = [at for at, symbol, what in venue.asked if (symbol, what) == ("BTCUSDT", kind)]
        assert asked[0] == START
        assert {(at + LEAD_MS) % PERIOD_MS[kind] for at in asked[1:]} == {0}
        assert len(asked) == 1 + 900_000 // PERIOD_MS[kind]
    assert len(shelf.kept) == len(venue.asked)


def test_what_was_measured_on_time_is_fresh_at_every_boundary_and_one_failure_later_too() -> None:
    for kind in MEASURE_KINDS:
        assert LEAD_MS + PERIOD_MS[kind] <= FRESH_MS[kind] < LEAD_MS + 2 * PERIOD_MS[kind]


@pytest.mark.parametrize("trouble", [Retry("away"), Halt("no such route")])
def test_trouble_is_tried_again_within_half_a_minute_and_ends_nothing(trouble: Exception) -> None:
    venue, shelf = run(100, trouble)
    asked = [at for at, symbol, kind in venue.asked if (symbol, kind) == ("ETHUSDT", "funding")]
    assert [after - before for before, after in pairwise(asked)] == [25_000] * 3
    assert shelf.kept == []
