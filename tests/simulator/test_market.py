"""Prices: the synthetic market's promises, paths through candles, the replayed and the live market."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from lib.domain.candle import MINUTE_MS, Candle, candle_problem
from lib.domain.instrument import Instrument
from lib.domain.price_path import walk
from lib.domain.quotes import KlineUpdate, Ticker
from lib.simulator.market.market import LiveMarket, ReplayMarket, SyntheticMarket
from tests.effort import examples
from tests.worlds.venue import BITCOIN, BTC, T0, D

ETHER = Instrument("ETHUSDT", D("0.01"), D("0.01"), D("0.01"), D("5000"), D("5"), D("100"))
INSTRUMENTS = {BTC: BITCOIN, "ETHUSDT": ETHER}
MARKET = SyntheticMarket(11, INSTRUMENTS)
minutes = st.integers(0, 60_000_000).map(lambda minute: minute * MINUTE_MS)


def known(market: SyntheticMarket, symbol: str, open_time: int) -> Candle:
    candle = market.candle(symbol, open_time)
    assert candle is not None
    return candle


@given(minutes, st.sampled_from(list(INSTRUMENTS)))
def test_a_minute_opens_where_the_one_before_closed(open_time: int, symbol: str) -> None:
    assert known(MARKET, symbol, open_time).close == known(MARKET, symbol, open_time + MINUTE_MS).open


@given(minutes, st.sampled_from(list(INSTRUMENTS)))
def test_synthetic_candles_are_sane_on_the_tick_and_within_the_band(open_time: int, symbol: str) -> None:
    candle = known(MARKET, symbol, open_time)
    assert candle_problem(candle, MINUTE_MS) is None
    assert not any(p % INSTRUMENTS[symbol].tick_size for p in (candle.open, candle.high, candle.low, candle.close))
    low, high = {BTC: (20_000, 200_000), "ETHUSDT": (1_000, 10_000)}[symbol]
    assert low < candle.low <= candle.high < high


@given(minutes)
def test_the_synthetic_market_is_a_function_of_seed_symbol_and_minute(open_time: int) -> None:
    assert SyntheticMarket(11, INSTRUMENTS).candle(BTC, open_time) == MARKET.candle(BTC, open_time)
    assert SyntheticMarket(12, INSTRUMENTS).candle(BTC, open_time) != MARKET.candle(BTC, open_time)


@examples(40)
@given(minutes, st.integers(1, 300), st.sampled_from(list(INSTRUMENTS)))
def test_minutes_made_in_a_row_are_the_same_minutes(open_time: int, count: int, symbol: str) -> None:
    apart = [known(MARKET, symbol, open_time + n * MINUTE_MS) for n in range(count)]
    merged = MARKET.merged(symbol, open_time, count)
    assert merged is not None
    assert (merged.open_time, merged.open, merged.close) == (open_time, apart[0].open, apart[-1].close)
    assert (merged.high, merged.low) == (max(one.high for one in apart), min(one.low for one in apart))
    assert merged.volume == sum(one.volume for one in apart)


def test_synthetic_days_move_like_bitcoin_and_know_quiet_minutes() -> None:
    candles = [known(MARKET, BTC, T0 + minute * MINUTE_MS) for minute in range(7 * 1440)]
    returns = [float(candle.close / candle.open) - 1 for candle in candles]
    deviation = (sum(r * r for r in returns) / len(returns)) ** 0.5
    assert 0.0003 < deviation < 0.0012
    silent = [candle for candle in candles if candle.volume == 0]
    assert 10 < len(silent) < 1000
    assert all(candle.high == candle.low for candle in silent)
    days = [float(candles[at + 1439].close / candles[at].open) - 1 for at in range(0, len(candles), 1440)]
    assert 0.003 < sum(map(abs, days)) / len(days) < 0.06


@given(minutes)
def test_a_path_starts_at_the_open_ends_at_the_close_and_touches_both_extremes(open_time: int) -> None:
    candle, path = known(MARKET, BTC, open_time), MARKET.path(BTC, open_time)
    prices = [price for _, price in path]
    assert [offset for offset, _ in path] == [second * 1000 for second in range(60)]
    assert (prices[0], prices[-1]) == (candle.open, candle.close)
    assert (min(prices), max(prices)) == (candle.low, candle.high)
    assert not any(price % BITCOIN.tick_size for price in prices)


prices = st.integers(1, 10**7).map(lambda ticks: Decimal(ticks) / 10)


@given(st.tuples(prices, prices, prices, prices))
def test_any_candle_has_a_path_inside_it(four: tuple[Decimal, ...]) -> None:
    candle = Candle(T0, four[0], max(four), min(four), four[3], D(1))
    walked = [price for _, price in walk(BTC, candle, D("0.1"))]
    assert (walked[0], walked[-1], min(walked), max(walked)) == (candle.open, candle.close, candle.low, candle.high)


@examples(30)
@given(minutes, st.integers(0, 59_999))
def test_the_forming_candle_is_what_the_path_showed_so_far(open_time: int, offset: int) -> None:
    forming = MARKET.forming(BTC, open_time + offset)
    shown = [price for at, price in MARKET.path(BTC, open_time) if at <= offset]
    assert forming is not None
    assert (forming.open, forming.high, forming.low, forming.close) == (shown[0], max(shown), min(shown), shown[-1])
    assert forming.close == MARKET.price_at(BTC, open_time + offset)
    assert forming.volume <= known(MARKET, BTC, open_time).volume


# --- replayed ---------------------------------------------------------------------------------------------------------


def test_a_replay_has_the_minutes_of_its_candles_and_no_others() -> None:
    rows = [
        Candle(T0 + n * MINUTE_MS, D("100.5") + n, D(102) + n, D(100) + n, D("101.5") + n, D("3.25")) for n in (0, 1, 3)
    ]
    market = ReplayMarket(BTC, rows, D("0.1"))
    assert market.candle(BTC, T0) == rows[0]
    assert market.price_at(BTC, T0) == D("100.5")
    assert market.price_at(BTC, T0 + 2 * MINUTE_MS - 1) == D("102.5")
    assert market.price_at(BTC, T0 + 2 * MINUTE_MS) is None  # a hole
    assert market.forming(BTC, T0 + 2 * MINUTE_MS) is None
    assert market.price_at(BTC, T0 + 4 * MINUTE_MS - 1) == D("104.5")
    assert market.price_at(BTC, T0 + 4 * MINUTE_MS) is None
    assert market.price_at(BTC, T0 - 1) is None


# --- live -------------------------------------------------------------------------------------------------------------


def push(price: str, high: str, low: str, at: int, *, closed: bool = False, open_time: int = T0) -> KlineUpdate:
    candle = Candle(open_time, D("100"), D(high), D(low), D(price), D("1"))
    return KlineUpdate(BTC, "1", candle, closed, at)


def test_the_live_market_shows_wicks_that_no_push_closed_at() -> None:
    market = LiveMarket([BTC])
    market.on_kline(push("100", "101", "99", T0 + 1_000))
    market.on_kline(push("100", "105", "99", T0 + 2_000))
    assert [price for _, price in market.path(BTC, T0)] == [D("100"), D("105"), D("100")]
    assert market.price_at(BTC, T0 + 1_500) == D("100")


def test_a_live_print_never_lands_before_what_was_already_looked_at() -> None:
    market = LiveMarket([BTC])
    market.price_at(BTC, T0 + 30_000)
    market.on_ticker(Ticker(BTC, D("103"), D("103"), T0 + 10_000))
    assert market.path(BTC, T0) == ((30_001, D("103")),)


def test_late_closed_candles_are_history_and_not_prints() -> None:
    market = LiveMarket([BTC])
    market.on_kline(push("98", "101", "97", T0 + 10 * MINUTE_MS, closed=True))
    assert market.path(BTC, T0 + 10 * MINUTE_MS) == ()
    candle = market.candle(BTC, T0)
    assert candle is not None
    assert {price for _, price in market.path(BTC, T0)} >= {candle.high, candle.low}


def test_a_live_symbol_nobody_hears_of_is_halted() -> None:
    market = LiveMarket([BTC])
    market.on_ticker(Ticker(BTC, D("103"), D("103"), T0))
    assert market.price_at(BTC, T0 + 5 * MINUTE_MS) == D("103")
    assert market.price_at(BTC, T0 + 11 * MINUTE_MS) is None
