"""The desk gives what the simulator's engine gives, and misses no minute in which something happens."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.fill_prices import EngineConfig
from lib.domain.instrument import Instrument
from lib.domain.order import OrderDraft
from lib.domain.position import ZERO, Side
from lib.domain.price_path import SECONDS, print_in, walk
from lib.evidence.desk import Desk, Terms
from lib.evidence.tape import Tape
from lib.simulator.engine.dealing import ProtectionChange
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.orders import OrderRequest, Protection, Refused, Trail
from lib.simulator.feeds import instrument_of
from lib.simulator.market.market import ReplayMarket
from tests.evidence.walks import NIGHT, TICK, wandering

BTC = "BTCUSDT"
RULE: Instrument = instrument_of(BTC)
MINUTES = 200
CASH = Decimal(20_000)


@dataclass(frozen=True)
class Trade:
    """An entry *after_ms*, its levels as shares of the price then, and what is done *later_ms* after it."""

    side: Side
    after_ms: int
    stop: Decimal
    target: Decimal
    leverage: int
    qty: Decimal
    later_ms: int
    then: str
    touched: int
    """The minute whose extremes are the levels, where they lie on the right sides: a touch is a hit."""


shares = st.one_of(st.decimals("0.0002", "0.003", places=4), st.decimals("0.003", "0.05", places=4))
wilds = st.sampled_from([0.0003, 0.001, 0.004])
trades = st.builds(
    Trade,
    side=st.sampled_from(["buy", "sell"]),
    after_ms=st.one_of(st.integers(0, 60 * MINUTE_MS), st.integers(1, 6_000).map(lambda second: second * 1_000 - 40)),
    stop=shares,
    target=shares,
    leverage=st.sampled_from([1, 5, 50, 100]),
    qty=st.decimals("0.001", "1", places=3),
    later_ms=st.integers(0, 90 * MINUTE_MS),
    then=st.sampled_from(["nothing", "nothing", "close", "half", "tighten", "trail", "trail later"]),
    touched=st.one_of(st.just(MINUTES), st.integers(1, 120), st.integers(1, 60)),
)
configs = st.sampled_from(
    [
        EngineConfig(),
        EngineConfig(liquidity=Decimal("0.2")),
        EngineConfig(slippage=Decimal("0.004"), half_spread_ticks=9),
    ]
)
holes = st.frozensets(st.integers(60, MINUTES - 1), max_size=20)


class EveryMinute(Tape):
    """Looks into every minute: what a desk does with it is the truth about which minutes matter."""

    def first_reach(self, start: int, below: Decimal | None, above: Decimal | None) -> int:
        return start


def drafts(trade: Trade, ref: Decimal, candles: Sequence[Candle]) -> OrderDraft:
    sign, tick = (1 if trade.side == "buy" else -1), RULE.tick_size
    low, high = ref * (1 - trade.stop), ref * (1 + trade.target)
    if trade.side == "sell":
        low, high = ref * (1 - trade.target), ref * (1 + trade.stop)
    if trade.touched < len(candles):
        low, high = candles[trade.touched].low, candles[trade.touched].high
    limit = RULE.round_price(ref * (1 + sign * Decimal("0.0003")))
    low, high = (RULE.round_price(price) for price in (low, high))
    low, high = min(low, limit - tick), max(high, limit + tick)
    stop, target = (low, high) if trade.side == "buy" else (high, low)
    return OrderDraft("e", trade.side, trade.qty, limit, ref, stop, target, trade.leverage, False)


def at_desk(tape: Tape, trade: Trade, config: EngineConfig) -> list[tuple[object, ...]]:
    """The executions of *trade* at a desk, and the cash at the end."""
    desk = Desk(tape, Terms(RULE, config), CASH, NIGHT)
    begun = NIGHT + trade.after_ms
    ref = tape.price(begun)
    if ref is None:
        return []
    desk.send(drafts(trade, ref, tape.candles), begun)
    desk.advance(begun + 40)
    then = begun + 40 + trade.later_ms
    desk.advance(then)
    position, mark = desk.position, tape.mark(then)
    if position.qty and trade.then in ("close", "half") and tape.price(then) is not None:
        size = (
            abs(position.qty) if trade.then == "close" else RULE.floor_qty(abs(position.qty) / 2) or abs(position.qty)
        )
        desk.send(OrderDraft("x", position.closing_side, size, ZERO, mark, ZERO, ZERO, 1, True), then)
    elif position.qty and trade.then == "tighten":
        closer = nearer(position.qty > 0, position.stop_loss, mark)
        if closer is not None:
            desk.move_stop(closer, then)
    elif position.qty and trade.then.startswith("trail"):
        desk.trail(*trailed(position.qty > 0, trade, mark), then)
    desk.advance(NIGHT + MINUTES * MINUTE_MS - 1)
    told = [
        (
            fill.at_ms,
            fill.kind,
            fill.side,
            ZERO if fill.kind == "funding" else fill.qty,
            fill.price,
            fill.fee,
            fill.is_stop,
        )
        for fill in desk.fills
    ]
    return [*told, ("cash", desk.balance)]


def closed(qty: Decimal, trade: Trade) -> Decimal:
    return abs(qty) if trade.then == "close" else RULE.floor_qty(abs(qty) / 2) or abs(qty)


def nearer(is_long: bool, stop: Decimal, mark: Decimal) -> Decimal | None:
    """A stop half way to the price; None where the price has passed it."""
    closer = RULE.round_price((stop + mark) / 2)
    return closer if (closer < mark if is_long else closer > mark) else None


def trailed(is_long: bool, trade: Trade, mark: Decimal) -> tuple[Decimal, Decimal]:
    """Distance and active price of a trailing stop, from now or from a little further on."""
    distance = RULE.ceil_price(mark * min(trade.stop, Decimal("0.002")))
    further = RULE.round_price(mark * trade.target / 4) + RULE.tick_size
    active = mark + further if is_long else mark - further
    return distance, ZERO if trade.then == "trail" else active


def at_venue(candles: Sequence[Candle], trade: Trade, config: EngineConfig) -> list[tuple[object, ...]]:
    """The same of the simulator's engine, which walks every print."""
    engine = Engine(ReplayMarket(BTC, candles, RULE.tick_size), {BTC: RULE}, config)
    engine.advance(NIGHT)
    uid = engine.create_account(CASH).uid
    begun = NIGHT + trade.after_ms
    engine.advance(begun)
    ref = engine.market.price_at(BTC, begun)
    if ref is None:
        return []
    draft, dealing = drafts(trade, ref, candles), engine.dealing
    if trade.leverage != 10:
        dealing.set_leverage(uid, BTC, Decimal(trade.leverage))
    request = OrderRequest(BTC, draft.side, trade.qty, "Limit", draft.limit_price, "IOC")
    _place(engine, uid, request, Protection(draft.stop_loss, draft.take_profit))
    then = begun + 40 + trade.later_ms
    engine.advance(then)
    holding = engine.books.holding(engine.books.account(uid), BTC)
    position, mark = holding.position, engine.books.mark(BTC)
    if position.qty and trade.then in ("close", "half") and engine.market.price_at(BTC, then) is not None:
        size = (
            abs(position.qty) if trade.then == "close" else RULE.floor_qty(abs(position.qty) / 2) or abs(position.qty)
        )
        _place(engine, uid, OrderRequest(BTC, position.closing_side, size, reduce_only=True), Protection())
    elif position.qty and trade.then == "tighten":
        closer = nearer(position.qty > 0, position.stop_loss, mark)
        if closer is not None:
            with suppress(Refused):
                dealing.set_protection(uid, BTC, ProtectionChange(closer))
    elif position.qty and trade.then.startswith("trail"):
        with suppress(Refused):
            dealing.set_protection(uid, BTC, ProtectionChange(trail=Trail(*trailed(position.qty > 0, trade, mark))))
    engine.advance(NIGHT + MINUTES * MINUTE_MS - 1)
    history = engine.books.history[uid]
    told = [
        (
            one.at_ms,
            "funding" if one.exec_type == "Funding" else "liquidation" if one.exec_type == "BustTrade" else "trade",
            one.side,
            ZERO if one.exec_type == "Funding" else one.qty,
            one.price,
            one.fee,
            one.stop_order_type in ("StopLoss", "TrailingStop") or one.exec_type == "BustTrade",
        )
        for one in history.executions
    ]
    return [*told, ("cash", engine.books.account(uid).cash)]


def _place(engine: Engine, uid: int, request: OrderRequest, protection: Protection) -> None:
    try:
        engine.dealing.place(uid, replace(request, protection=protection))
    except Refused:
        return


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**31), wilds, trades, configs, holes)
def test_a_desk_and_the_simulators_engine_give_the_same_executions_and_cash(
    seed: int, wild: float, trade: Trade, config: EngineConfig, missing: frozenset[int]
) -> None:
    candles = wandering(seed, MINUTES, wild=wild, holes=missing)
    assert at_desk(Tape(BTC, candles, TICK), trade, config) == at_venue(candles, trade, config)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**31), wilds, trades, holes)
def test_no_minute_in_which_something_happens_is_missed(
    seed: int, wild: float, trade: Trade, missing: frozenset[int]
) -> None:
    candles = wandering(seed, MINUTES, wild=wild, holes=missing)
    found = at_desk(Tape(BTC, candles, TICK), trade, EngineConfig())
    assert found == at_desk(EveryMinute(BTC, candles, TICK), trade, EngineConfig())


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 49), st.one_of(st.none(), shares), st.one_of(st.none(), shares))
def test_the_first_minute_that_reaches_a_level_is_found(
    seed: int, start: int, down: Decimal | None, up: Decimal | None
) -> None:
    candles = wandering(seed, 50)
    price = candles[start].open
    below, above = (None if down is None else price * (1 - down)), (None if up is None else price * (1 + up))
    reached = [
        number
        for number, one in enumerate(candles)
        if number >= start and ((below is not None and one.low <= below) or (above is not None and one.high >= above))
    ]
    assert Tape(BTC, candles, TICK).first_reach(start, below, above) == (reached[0] if reached else len(candles))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.floats(0, 0.01))
@example(1, 0.0)
def test_one_print_alone_is_the_paths(seed: int, wild: float) -> None:
    candles = wandering(seed, 3, wild=wild)
    tick = RULE.tick_size
    for one in candles:
        alone = [print_in(BTC, one, tick, second) for second in range(SECONDS)]
        assert alone == [price for _, price in walk(BTC, one, tick)]
