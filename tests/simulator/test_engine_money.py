"""Cash, fees, funding and the ledger; stopping and going on; speed."""

import json
import time
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.candle import MINUTE_MS
from lib.domain.fill_prices import EngineConfig
from lib.domain.funding import FUNDING_MS
from lib.domain.position import ZERO, Position, Side, apply_fill
from lib.simulator.engine.dealing import ProtectionChange
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.orders import OrderRequest, Protection, Refused, Row
from lib.simulator.market.market import Market, SyntheticMarket
from tests.effort import examples
from tests.worlds.venue import BITCOIN, BTC, START, T0, D, World

HOUR = 60 * MINUTE_MS


@dataclass(frozen=True)
class Deed:
    """One thing an account does, *after_ms* after the one before; fractions of the price for stop and target."""

    after_ms: int
    kind: str
    side: Side
    qty: Decimal
    stop: Decimal
    target: Decimal


fractions = st.integers(1, 30).map(lambda n: D(n) / 1000)
deeds = st.lists(
    st.builds(
        Deed,
        st.integers(0, 5 * HOUR),
        st.sampled_from(["market", "limit", "reduce", "trading-stop", "leverage", "cancel"]),
        st.sampled_from(["buy", "sell"]),
        st.integers(1, 60).map(lambda n: D(n) / 1000),
        fractions,
        fractions,
    ),
    min_size=1,
    max_size=12,
)


def act(engine: Engine, uid: int, deed: Deed) -> None:
    """Carry out *deed* now; a refusal is fine."""
    price = engine.books.mark(BTC)
    sign = 1 if deed.side == "buy" else -1
    near = Protection(
        BITCOIN.round_price(price * (1 - sign * deed.stop)), BITCOIN.round_price(price * (1 + sign * deed.target))
    )
    limit = BITCOIN.round_price(price * (1 - sign * deed.stop / 4))
    dealing = engine.dealing
    try:
        if deed.kind == "market":
            dealing.place(uid, OrderRequest(BTC, deed.side, deed.qty, protection=near))
        elif deed.kind == "limit":
            dealing.place(uid, OrderRequest(BTC, deed.side, deed.qty, "Limit", limit))
        elif deed.kind == "reduce":
            dealing.place(uid, OrderRequest(BTC, deed.side, deed.qty, reduce_only=True))
        elif deed.kind == "trading-stop":
            dealing.set_protection(uid, BTC, ProtectionChange(stop_loss=near.stop_loss))
        elif deed.kind == "leverage":
            dealing.set_leverage(uid, BTC, D(int(deed.stop * 1000) + 1))
        else:
            dealing.cancel_all(uid, lambda order: True)
    except Refused:
        return


def fresh(market: Market | None = None) -> Engine:
    return Engine(market or MARKET, {BTC: BITCOIN}, EngineConfig())


MARKET = SyntheticMarket(3, {BTC: BITCOIN})


def opened() -> tuple[Engine, int]:
    engine = fresh()
    engine.advance(START)
    return engine, engine.create_account(D("10000")).uid


def lived(script: list[Deed]) -> tuple[Engine, int]:
    engine, uid = opened()
    for deed in script:
        engine.advance(engine.last_advanced_ms + deed.after_ms)
        act(engine, uid, deed)
    engine.advance(engine.last_advanced_ms + 10 * HOUR)
    return engine, uid


@examples(60)
@given(deeds)
def test_the_balance_is_the_sum_of_the_ledger_to_the_last_decimal(script: list[Deed]) -> None:
    engine, uid = lived(script)
    account, history = engine.books.account(uid), engine.books.history[uid]
    assert sum((row.change for row in history.transactions), ZERO) == account.cash == history.transactions[-1].balance
    running = ZERO
    with localcontext(prec=80):  # so that no sum here is rounded
        for row in history.transactions:
            assert row.change == row.cash_flow + row.funding - row.fee
            running += row.change
            assert row.balance == running
    assert account.cash >= 0


@examples(60)
@given(deeds)
def test_balance_and_position_follow_from_the_executions_alone(script: list[Deed]) -> None:
    engine, uid = lived(script)
    position, cash = Position(BTC), D("10000")
    for execution in engine.books.history[uid].executions:
        if execution.exec_type == "Funding":
            cash -= execution.fee
            continue
        position, realised = apply_fill(position, execution.side, execution.qty, execution.price)
        cash += realised - execution.qty * execution.price * execution.fee_rate
        assert execution.realised == realised
    held = engine.books.holding(engine.books.account(uid), BTC).position
    assert (held.qty, held.avg_entry_price) == (position.qty, position.avg_entry_price)
    assert engine.books.account(uid).cash == cash


@examples(60)
@given(deeds)
def test_orders_executions_and_children_stay_consistent(script: list[Deed]) -> None:
    engine, uid = lived(script)
    account, history = engine.books.account(uid), engine.books.history[uid]
    for order in [*history.closed, *account.orders.values()]:
        filled = sum((e.qty for e in history.executions if e.order_id == order.order_id), ZERO)
        assert filled == order.filled <= order.qty
        assert order.is_open == (order.order_id in account.orders)
    holding = engine.books.holding(account, BTC)
    children = [order for order in account.orders.values() if order.is_protective]
    assert {order.order_id for order in children} == {i for i in (holding.stop_id, holding.target_id) if i}
    assert all(order.qty == abs(holding.position.qty) > 0 for order in children)


def state(engine: Engine, uid: int) -> tuple[Any, ...]:
    history = engine.books.history[uid]
    return (
        engine.export_account(uid),
        history.executions,
        history.transactions,
        history.closed_pnls,
        sorted(history.closed, key=lambda order: order.seq),
        history.links,
    )


@examples(60)
@given(deeds, st.lists(st.integers(1, 20 * HOUR), max_size=5))
def test_how_the_advancing_is_cut_up_does_not_matter(script: list[Deed], cuts: list[int]) -> None:
    engine, uid = lived(script)
    other, _ = opened()
    for deed in script:
        target = other.last_advanced_ms + deed.after_ms
        for cut in cuts:
            other.advance(min(target, other.last_advanced_ms + cut))
        other.advance(target)
        act(other, uid, deed)
    end = other.last_advanced_ms + 10 * HOUR
    while other.last_advanced_ms < end:
        other.advance(min(end, other.last_advanced_ms + 7 * MINUTE_MS + 333))
    assert state(other, uid) == state(engine, uid)


@examples(60)
@given(deeds, st.integers(0, 11), st.integers(0, 10 * HOUR))
def test_an_engine_stopped_anywhere_and_restored_ends_where_it_would_have_been(
    script: list[Deed], stop_at: int, stop_after: int
) -> None:
    engine, uid = lived(script)
    other, _ = opened()
    for place, deed in enumerate(script):
        other.advance(other.last_advanced_ms + deed.after_ms)
        act(other, uid, deed)
        if place == stop_at:
            due = script[place + 1].after_ms if place + 1 < len(script) else 10 * HOUR
            acted_at = other.last_advanced_ms
            other.advance(acted_at + min(stop_after, due))
            other = restored(other, uid, other.drain_rows())
            rest = script[place + 1 :]
            carry_on(other, uid, rest, acted_at)
            break
    other.advance(engine.last_advanced_ms)
    assert state(other, uid) == state(engine, uid)


def carry_on(engine: Engine, uid: int, script: list[Deed], now: int) -> None:
    for deed in script:
        now += deed.after_ms
        engine.advance(now)
        act(engine, uid, deed)


def restored(engine: Engine, uid: int, rows: list[Row]) -> Engine:
    """A new engine with what a store would have kept, through JSON."""
    kept = json.loads(json.dumps(engine.export_account(uid)))
    lines = json.loads(json.dumps([[row.uid, row.kind, row.seq, row.data] for row in rows]))
    again = fresh(SyntheticMarket(3, {BTC: BITCOIN}))
    again.import_account(kept)
    again.import_rows(Row(*line) for line in lines)
    again.last_advanced_ms = engine.last_advanced_ms
    return again


def test_only_what_changed_is_dirty_and_rows_are_drained_once() -> None:
    engine, first = opened()
    second = engine.create_account(D(500)).uid
    assert engine.dirty() == {first, second}
    assert [(row.uid, row.kind) for row in engine.drain_rows()] == [(first, "transaction"), (second, "transaction")]
    engine.dealing.place(second, OrderRequest(BTC, "buy", D("0.01")))
    engine.advance(engine.last_advanced_ms + 1000)
    assert engine.dirty() == {second}
    assert sorted(row.kind for row in engine.drain_rows()) == ["execution", "order", "transaction"]
    engine.advance(engine.last_advanced_ms + HOUR)
    assert (engine.dirty(), engine.drain_rows()) == (set(), [])


def test_a_damaged_account_is_refused() -> None:
    engine, uid = opened()
    exported = engine.export_account(uid)
    with pytest.raises(ValueError, match="is taken"):
        engine.import_account(exported)
    with pytest.raises(ValueError, match="not an account"):
        fresh().import_account(exported | {"cash": "ten"})


# --- funding ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "sign"), [("buy", -1), ("sell", 1)])
def test_funding_is_paid_by_longs_and_received_by_shorts_at_eight_hours(side: Side, sign: int) -> None:
    world = World([100] * (8 * 3600 + 60))
    world.place(side, "2")
    world.engine.advance(T0 + FUNDING_MS - 1)
    before = world.account.cash
    world.engine.advance(T0 + FUNDING_MS)
    assert world.account.cash - before == sign * 2 * 100 * D("0.0001")
    row = world.engine.books.history[world.uid].transactions[-1]
    assert (row.kind, row.funding, row.fee, row.at_ms) == ("SETTLEMENT", sign * D("0.02"), D(0), T0 + FUNDING_MS)
    execution = world.engine.books.history[world.uid].executions[-1]
    assert (execution.exec_type, execution.fee) == ("Funding", -sign * D("0.02"))


def test_a_flat_account_pays_no_funding_and_a_rate_never_changes() -> None:
    engine, uid = opened()
    engine.advance(T0 + 3 * FUNDING_MS)
    assert len(engine.books.history[uid].transactions) == 1
    rates = {engine.funding_rate(BTC, T0 + FUNDING_MS + offset) for offset in (0, 1, FUNDING_MS - 1)}
    assert len(rates) == 1
    assert rates != {engine.funding_rate(BTC, T0)}


# --- profits ----------------------------------------------------------------------------------------------------------


def test_a_closed_profit_is_net_of_its_share_of_the_opening_fee() -> None:
    world = World([100, 100, 110, 110, 110])
    world.place("buy", "2")
    world.to(2.5)
    world.engine.dealing.place(world.uid, OrderRequest(BTC, "sell", D(1), reduce_only=True))
    world.to(3)
    (closed,) = world.engine.books.history[world.uid].closed_pnls
    fee = D("0.00055")
    assert (closed.open_fee, closed.close_fee) == (100 * fee, 110 * fee)
    assert closed.pnl == 10 - 210 * fee


def test_two_partial_closings_share_the_opening_fee_between_them() -> None:
    world = World([100] * 60)
    world.place("buy", "3")
    world.to(1)
    for second, qty in ((2, "1"), (3, "2")):
        world.engine.dealing.place(world.uid, OrderRequest(BTC, "sell", D(qty), reduce_only=True))
        world.to(second)
    shares = [closed.open_fee for closed in world.engine.books.history[world.uid].closed_pnls]
    assert shares == [100 * D("0.00055"), 200 * D("0.00055")]


# --- accounts ---------------------------------------------------------------------------------------------------------


def test_keys_belong_to_one_account_and_are_found_again() -> None:
    engine, uid = opened()
    key = engine.books.account(uid).keys[0]
    found = engine.find_key(key.key)
    assert found is not None
    assert found[0].uid == uid
    assert engine.find_key("unknown") is None
    with pytest.raises(ValueError, match="taken"):
        engine.create_account(D(1), key=key)
    second = engine.add_key(uid)
    assert second.key != key.key


def test_twenty_accounts_with_resting_stops_run_ten_thousand_minutes_quickly() -> None:
    engine = fresh()
    engine.advance(START)
    for _ in range(20):
        uid = engine.create_account(D(10_000)).uid
        price = engine.books.mark(BTC)
        stop, target = (BITCOIN.round_price(price * share) for share in (D("0.7"), D("1.4")))
        engine.dealing.place(uid, OrderRequest(BTC, "buy", D("0.1"), protection=Protection(stop, target)))
    began = time.perf_counter()
    engine.advance(START + 10_000 * MINUTE_MS)
    assert time.perf_counter() - began < 10
    assert all(len(history.executions) > 15 for history in engine.books.history.values())
