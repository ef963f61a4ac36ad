"""What one opinion was worth: its entry, its end, and every cost of it."""

from decimal import Decimal

import pytest

from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.decision import Decision
from lib.domain.fill_prices import EngineConfig
from lib.domain.funding import funding_rate
from lib.evidence.desk import Terms
from lib.evidence.scoring import LONGEST_MS, How, score
from lib.evidence.tape import Tape
from lib.simulator.feeds import instrument_of

D = Decimal
BTC = "BTCUSDT"
T = 1_735_693_200_000
"""2025-01-01 01:00 UTC."""
FREE = EngineConfig(taker_fee=D(0), slippage=D(0), half_spread_ticks=0)
FEE = EngineConfig(slippage=D(0), half_spread_ticks=0)
DAY = 24 * 60


def tape(*prices: str | int, calm: int = DAY + 5) -> Tape:
    """A minute at each of *prices* ("open high low close" or one price), then *calm* ones at the last close."""
    rows = [[D(part) for part in str(price).split()] for price in prices]
    rows = [row * 4 if len(row) == 1 else row for row in rows]
    rows += [[rows[-1][3]] * 4] * calm
    candles = [Candle(T + number * MINUTE_MS, row[0], row[1], row[2], row[3], D(1)) for number, row in enumerate(rows)]
    return Tape(BTC, candles, instrument_of(BTC).tick_size)


def view(action: str = "buy", *, stop: str = "0.01", target: str = "0.02", leverage: int = 5) -> Decision:
    assert action in ("buy", "sell")
    return Decision("buy" if action == "buy" else "sell", D("0.7"), leverage, "", D(stop), D(target))


def terms(config: EngineConfig = FREE) -> Terms:
    return Terms(instrument_of(BTC), config)


def test_a_target_earns_its_distance_less_both_fees_and_r_is_in_stops() -> None:
    worth = score(view(), T, tape(50_000, 51_000), terms(FEE))
    assert worth is not None
    fees = D("0.00055") * (1 + D(51_000) / D(50_000))
    assert (worth.ended, worth.entry, worth.exit) == ("target", D(50_000), D(51_000))
    assert (worth.gross, worth.fees, worth.net) == (D("0.02"), fees, D("0.02") - fees)
    assert worth.in_stops == worth.net / D("0.01")
    assert (worth.entered_ms, worth.closed_ms) == (T + 2_040, T + MINUTE_MS)


def test_where_a_minute_holds_both_the_stop_comes_first() -> None:
    worth = score(view(), T, tape(50_000, "50000 51200 49400 50000"), terms())
    assert worth is not None
    assert worth.ended == "stop"
    assert worth.net <= D("-0.01")


def test_liquidation_comes_before_a_stop_that_lies_beyond_it() -> None:
    worth = score(view(stop="0.05", target="0.06", leverage=50), T, tape(50_000, "50000 50000 48900 48900"), terms())
    assert worth is not None
    assert (worth.ended, worth.gross) == ("liquidation", D("-0.02"))


def test_an_opinion_that_met_nothing_ends_after_a_day_or_at_its_own_time() -> None:
    worth = score(view(), T, tape(50_000, 50_100), terms())
    assert worth is not None
    assert (worth.ended, worth.closed_ms) == ("time", T + 2_040 + LONGEST_MS + 40)
    own = score(view(), T, tape(50_000, 50_100), terms(), How(hold_ms=10 * MINUTE_MS))
    assert own is not None
    assert (own.ended, own.closed_ms, own.net) == ("time", T + 2_040 + 10 * MINUTE_MS + 40, D("0.002"))


def test_a_short_pays_or_receives_the_funding_it_lived_through() -> None:
    worth = score(view("sell"), T, tape(50_000), terms(), How(hold_ms=8 * 60 * MINUTE_MS))
    assert worth is not None
    assert worth.funding == funding_rate(FREE, BTC, T + 7 * 60 * MINUTE_MS)
    assert worth.net == worth.funding


def test_what_has_not_ended_by_the_last_candle_is_not_known() -> None:
    assert score(view(), T, tape(50_000, calm=60), terms()) is None
    assert score(view(), T + 10 * MINUTE_MS, tape(50_000, calm=5), terms()) is None


def test_what_the_call_cost_is_taken_off_also_where_nothing_was_entered() -> None:
    how = How(call_cost=D("0.0001"))
    far = score(view(target="0.5"), T, tape(50_000), terms(), how)
    assert far is not None
    assert (far.ended, far.net) == ("no_entry", D("-0.0001"))
    worth, free = score(view(), T, tape(50_000, 51_000), terms(), how), score(view(), T, tape(50_000, 51_000), terms())
    assert worth is not None
    assert free is not None
    assert worth.net == free.net - D("0.0001")


def test_the_first_price_is_the_one_after_the_latency() -> None:
    jumps = tape("50000 50100 50000 50100", 50_100)
    late = score(view(), T, jumps, terms(), How(latency_ms=MINUTE_MS))
    assert late is not None
    assert late.entry == D(50_100)


def test_a_hold_enters_nothing() -> None:
    with pytest.raises(ValueError, match="enters nothing"):
        score(Decision("hold", D("0.7"), 1, "", D("0.01"), D("0.02")), T, tape(50_000), terms())
