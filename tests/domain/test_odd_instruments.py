"""Contracts of thousands of a coin, ticks of a hundred-millionth, coins of 100,000 USDT: sizes, stops, wires, texts."""

import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ui import write
from lib.adapters.bybit.rest.order_wire import order_body, trading_stop_body
from lib.adapters.redis.candle_wire import decode_list, encode
from lib.domain.candle import Candle, candle_problem, decimal_from_wire
from lib.domain.decision import Action
from lib.domain.instrument import Instrument
from lib.domain.order import LINK_ID_MAX, order_link_id, parse_link_id
from lib.domain.risk import decide
from lib.domain.stops import tightened
from lib.market.status import read_rules, rules_text
from lib.simulator.listing import KNOWN, listing
from lib.simulator.market.synthetic import SyntheticMarket
from tests.factories import T, decision, facts, order, position, settings

HIGH = Instrument(
    symbol="RICHUSDT",
    tick_size=Decimal("0.1"),
    qty_step=Decimal("0.001"),
    min_qty=Decimal("0.001"),
    max_market_qty=Decimal(500),
    min_notional=Decimal(5),
    max_leverage=Decimal(100),
)
ODD = {one.rules.symbol: (one.rules, one.price) for one in KNOWN.values()} | {"RICHUSDT": (HIGH, Decimal(100_000))}
MADE_UP = [f"{name}USDT" for name in ("AAA", "ZZ9", "1000CAT", "WIF", "10000LADYS", "KAS", "TON", "MEME", "AB1", "Q7")]
ODD |= {name: (found.rules, found.price) for name in MADE_UP if (found := listing(name))}
PLAIN = re.compile(r"-?\d+(\.\d+)?")
odd = st.sampled_from(sorted(ODD))
moves = st.decimals("0.5", "2", places=4)
equities = st.decimals(20, 1_000_000, places=2)


def is_on(value: Decimal, step: Decimal) -> bool:
    return value % step == 0


@given(odd, moves, equities, st.decimals("0.002", "0.05", places=3), st.sampled_from(["buy", "sell"]))
def test_an_entry_of_any_contract_is_on_its_steps_beyond_its_minimum_and_within_its_risk(
    symbol: str, move: Decimal, equity: Decimal, stop: Decimal, action: Action
) -> None:
    rules, price = ODD[symbol]
    ref = rules.round_price(price * move)
    wish = decision(action, stop_loss=stop, take_profit=stop * 2)
    plan = decide(wish, facts(equity), settings(), rules, ref, T)
    if not plan.orders:
        assert plan.reason
        return
    [entry] = plan.orders
    assert entry.qty is not None
    assert is_on(entry.qty, rules.qty_step)
    assert rules.min_qty <= entry.qty <= rules.max_market_qty
    assert entry.qty * ref >= rules.min_notional
    for placed in (entry.limit_price, entry.stop_loss, entry.take_profit):
        assert placed > 0
        assert is_on(placed, rules.tick_size)
    sign = 1 if action == "buy" else -1
    assert sign * (ref - entry.stop_loss) > 0
    # a tick or two beyond the fraction asked for: prices are rounded to it
    assert entry.qty * (abs(ref - entry.stop_loss) - 2 * rules.tick_size) <= equity / 100


@given(odd, moves, st.integers(1, 10**9), st.decimals("0.002", "0.05", places=3))
def test_nothing_that_is_sent_has_an_exponent(symbol: str, move: Decimal, steps: int, stop: Decimal) -> None:
    rules, price = ODD[symbol]
    ref, qty = rules.round_price(price * move), steps * rules.qty_step
    away: dict[str, Any] = {
        "stop_loss": rules.floor_price(ref * (1 - stop)),
        "take_profit": rules.ceil_price(ref * (1 + stop)),
    }
    entry = order(symbol=symbol, qty=qty.normalize(), limit_price=ref.normalize(), **away)
    sent = [json.loads(order_body(entry)), trading_stop_body(symbol, **away)]
    numbers = [body[name] for body in sent for name in ("qty", "price", "stopLoss", "takeProfit") if name in body]
    assert len(numbers) == 6
    assert all(PLAIN.fullmatch(str(number)) for number in numbers)
    assert Decimal(str(sent[0]["qty"])) == qty
    assert Decimal(str(sent[0]["price"])) == ref


@given(odd, moves, st.decimals("0.002", "0.05", places=3), st.booleans())
def test_a_tightened_stop_is_on_the_tick_and_on_its_side(
    symbol: str, move: Decimal, stop: Decimal, is_long: bool
) -> None:
    rules, price = ODD[symbol]
    ref, sign = rules.round_price(price * move), 1 if is_long else -1
    standing = rules.round_price(ref * (1 - sign * Decimal("0.2")))
    held = replace(position(sign * rules.qty_step, ref), symbol=symbol, stop_loss=standing, mark=ref)
    wanted = tightened(held, ref, stop, rules)
    assert wanted == 0 or (is_on(wanted, rules.tick_size) and sign * (wanted - standing) > 0 >= sign * (wanted - ref))


@given(odd, st.integers(0, 40_000_000))
def test_invented_candles_of_any_contract_keep_their_rules_and_their_bytes(symbol: str, minute: int) -> None:
    rules, price = ODD[symbol]
    candle = SyntheticMarket(7, {symbol: rules}).candle(symbol, minute * 60_000)
    assert candle is not None
    assert candle_problem(candle, 60_000) is None
    assert all(is_on(one, rules.tick_size) for one in (candle.open, candle.high, candle.low, candle.close))
    if symbol in KNOWN or symbol in MADE_UP:
        assert price / 2 <= candle.close <= price * 2
    written = encode(candle)
    assert "E" not in written
    assert "e-" not in written
    assert decode_list([written.encode()]) == [candle]


@given(odd, st.integers(1, 10**12))
def test_candles_are_kept_to_the_hundred_millionth(symbol: str, ticks: int) -> None:
    tick = ODD[symbol][0].tick_size.normalize()
    close = min(ticks * tick, Decimal(10**6))
    candle = Candle(0, close, close, close, close, Decimal("1E+3"))
    assert decode_list([encode(candle).encode()]) == [candle]
    assert PLAIN.fullmatch(json.loads(encode(candle))["close"])
    assert decimal_from_wire(f"{close:f}") == close


@pytest.mark.parametrize("symbol", sorted(ODD))
def test_rules_are_written_and_read_alike(symbol: str) -> None:
    rules = ODD[symbol][0]
    normal = replace(rules, tick_size=rules.tick_size.normalize(), qty_step=rules.qty_step.normalize())
    assert read_rules(symbol, rules_text(normal)) == rules
    assert "E" not in rules_text(normal).replace(symbol, "")


@given(odd, moves)
def test_a_price_is_written_with_the_digits_its_ticks_have(symbol: str, move: Decimal) -> None:
    rules, price = ODD[symbol]
    shown = rules.round_price(price * move)
    written = Decimal(write.price(shown).replace(",", ""))
    assert abs(written - shown) <= shown / 10**5, "six digits that mean something"
    assert Decimal(write.exact(shown.normalize()).replace(",", "")) == shown
    assert "E" not in write.price(shown)
    assert "E" not in write.exact(rules.tick_size)


@given(st.integers(1, 36**4 - 1), st.integers(1, 36**6 - 1), st.integers(0, 35))
def test_every_symbols_number_fits_an_order_link_id(symbol_no: int, account_id: int, seq: int) -> None:
    made = order_link_id("mm12ab", T, symbol_no, account_id, "e", seq)
    assert len(made) <= LINK_ID_MAX
    parsed = parse_link_id(made)
    assert parsed is not None
    assert (parsed.symbol_no, parsed.account_id, parsed.t_ms) == (symbol_no, account_id, T)


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=2, max_size=20))
def test_any_perpetual_can_be_made_up_and_is_the_same_everywhere(name: str) -> None:
    found = listing(f"{name}USDT")
    assert found is not None
    assert found == listing(f"{name}USDT")
    assert is_on(found.price, found.rules.tick_size)
    assert 10**3 <= found.price / found.rules.tick_size <= 10**7
    assert found.rules.qty_step * found.price <= 10, "the least order is within everybody's means"
    assert is_on(found.volume_unit, found.rules.qty_step) or found.rules.symbol in ("ETHUSDT", "SOLUSDT")


@pytest.mark.parametrize("name", ["", "USDT", "BTCUSD", "btcusdt", "BTC-USDT", "A" * 40 + "USDT"])
def test_what_is_no_perpetuals_name_is_not_made_up(name: str) -> None:
    assert listing(name) is None


@given(odd, moves)
def test_a_chart_whose_rules_are_not_read_yet_tells_prices_apart(symbol: str, move: Decimal) -> None:
    rules, price = ODD[symbol]
    newest = rules.round_price(price * move)
    assert Decimal(1).scaleb(-write.places(newest)) <= max(newest / 10**4, rules.tick_size)
