"""From a decision to a filled entry, and everything that may happen to the request and to its reply."""

import hashlib
from dataclasses import replace
from decimal import Decimal

import pytest

from lib.adapters.bybit.rest.client import BybitExchange
from lib.domain.order import INDEX_LAG_MS, RECV_WINDOW_MS, Order, OrderState, order_link_id
from lib.domain.position import Position
from lib.simulator.venue.venue import Request
from lib.trading.cycle.run import run_cycle
from tests.factories import INSTALLATION, SYMBOL, T, decision
from tests.worlds.one_process import World, result_of
from tests.worlds.props import CREATE

REALTIME, HISTORY, EXECUTIONS = "/v5/order/realtime", "/v5/order/history", "/v5/execution/list"
PROOF_MS = RECV_WINDOW_MS + INDEX_LAG_MS


async def test_an_entry_carries_its_stop_and_target_inside_the_order(world: World) -> None:
    report = await world.cycle("buy")
    assert result_of(report).outcome == "bought"
    (body,) = world.transport.orders()
    assert (body["stopLoss"], body["takeProfit"], body["price"]) == ("58800.0", "63000.0", "60180.0")
    assert (body["orderType"], body["timeInForce"], body["reduceOnly"]) == ("Limit", "IOC", False)
    assert (body["tpslMode"], body["slTriggerBy"], body["positionIdx"]) == ("Full", "MarkPrice", 0)
    position = world.position()
    assert (position.stop_loss, position.take_profit) == (Decimal(58_800), Decimal(63_000))
    assert world.states() == ["PLANNED", "SUBMITTING", "ACCEPTED", "FILLED"]


async def test_an_entrys_id_follows_from_what_it_is_for(world: World) -> None:
    await world.cycle("buy")
    assert world.order().order_link_id == order_link_id(INSTALLATION, T, 1, 1, "e", 0)
    assert [order.link_id for order in world.accepted()] == [world.order().order_link_id]


async def test_plan_and_claim_are_committed_before_anything_is_sent(world: World) -> None:
    rows: list[Order] = []
    world.on(CREATE, lambda: rows.append(world.order()))
    await world.cycle("buy")
    (row,) = rows
    assert (row.state, row.attempts) == (OrderState.SUBMITTING, 1)
    (body,) = (body for _, path, body in world.transport.sent if path == CREATE)
    assert row.body_sha256 == hashlib.sha256(body).hexdigest()


async def test_the_signed_bytes_carry_the_time_of_the_claim(world: World) -> None:
    stamps: list[str] = []
    world.transport.before = lambda r: stamps.append(r.header("X-BAPI-TIMESTAMP")) if r.path == CREATE else None
    await world.cycle("buy")
    assert stamps == [str(world.order().signed_ts)]


@pytest.mark.parametrize("fault", ["drop_reply", "http_5xx_after", "err_10000_after", "err_10016_after"])
async def test_a_reply_that_says_nothing_leaves_the_order_unknown_until_a_query_finds_it(
    world: World, fault: str
) -> None:
    world.fault(fault, CREATE)
    await world.cycle("buy")
    assert world.states()[:3] == ["PLANNED", "SUBMITTING", "UNKNOWN"]
    assert world.order().state is OrderState.FILLED
    assert len(world.transport.orders()) == 1
    assert world.position().qty == world.order().filled_qty > 0
    assert world.log().summary.outcome == "bought"


@pytest.mark.parametrize("fault", ["drop_before", "err_10016_before", "http_5xx_before", "http_429"])
async def test_a_lost_request_is_absent_only_once_the_exchanges_clock_proves_it(world: World, fault: str) -> None:
    world.fault(fault, CREATE)
    await world.cycle("buy")
    row = world.order()
    assert row.state is OrderState.ABSENT
    assert row.updated_ms > row.signed_ts + PROOF_MS
    assert len(world.transport.orders()) == 1, "a lost request is not sent again"
    assert world.position().is_flat
    assert world.log().summary.status == "failed"


async def test_a_failed_query_proves_nothing(world: World) -> None:
    world.fault("drop_before", CREATE)
    world.fault("http_5xx_before", EXECUTIONS, count=100)
    await world.cycle("buy")
    assert world.order().state is OrderState.UNKNOWN
    assert world.clock.now_ms() > world.order().signed_ts + PROOF_MS
    assert world.log().summary.outcome == "unresolved"


@pytest.mark.parametrize("fault", ["rate_limit_past_reset", "rate_limit_future_reset"])
async def test_a_throttled_order_goes_out_again_under_the_same_id(world: World, fault: str) -> None:
    world.fault(fault, CREATE, count=2)
    await world.cycle("buy")
    ids = [body["orderLinkId"] for body in world.transport.orders()]
    assert ids == [world.order().order_link_id] * 3
    assert (world.order().state, world.order().attempts) == (OrderState.FILLED, 3)


async def test_an_order_throttled_three_times_is_left_to_a_query(world: World) -> None:
    world.fault("rate_limit_past_reset", CREATE, count=9)
    await world.cycle("buy")
    assert len(world.transport.orders()) == 3
    assert world.order().state is OrderState.ABSENT


async def test_an_order_refused_for_its_timestamp_is_signed_anew_at_most_three_times(world: World) -> None:
    world.fault("clock_skew", CREATE, ms=-1_500)
    await world.cycle("buy")
    assert len(world.transport.orders()) == 3
    assert 10002 in world.codes()
    assert world.order().state is OrderState.ABSENT
    assert world.position().is_flat


async def test_an_order_rejected_after_its_acknowledgement_is_rejected(world: World) -> None:
    world.fault("async_reject")
    await world.cycle("buy")
    assert world.order().state is OrderState.REJECTED
    assert world.log().summary.outcome == "failed"


async def test_a_part_filled_entry_is_partial_and_its_part_is_protected(world: World) -> None:
    world.fault("partial_fill", share="0.5")
    await world.cycle("buy")
    row, position = world.order(), world.position()
    assert row.state is OrderState.PARTIAL
    assert row.qty is not None
    assert 0 < row.filled_qty < row.qty
    assert position.qty == row.filled_qty
    assert position.stop_loss == row.stop_loss
    assert world.log().summary.outcome == "bought"


async def test_an_entry_that_found_nothing_is_cancelled(world: World) -> None:
    world.fault("no_fill")
    await world.cycle("buy")
    assert world.order().state is OrderState.CANCELLED
    assert world.position().is_flat


async def test_a_request_delivered_twice_opens_one_position(world: World) -> None:
    world.fault("duplicate", CREATE)
    await world.cycle("buy")
    assert len(world.accepted()) == 1
    assert world.position().qty == world.order().qty


async def test_an_id_the_exchange_knows_already_is_unknown_and_then_found(world: World) -> None:
    def deliver_once_more(request: Request) -> None:
        if request.path == CREATE:
            world.venue.handle(request)

    world.transport.before = deliver_once_more
    await world.cycle("buy")
    assert world.states()[:3] == ["PLANNED", "SUBMITTING", "UNKNOWN"]
    assert 110072 in world.codes()
    assert world.order().state is OrderState.FILLED
    assert len(world.accepted()) == 1


@pytest.mark.parametrize("blind", [("stale_realtime", CREATE), ("clear_closed", REALTIME)])
async def test_an_order_missing_from_the_realtime_list_is_found_elsewhere(world: World, blind: tuple[str, str]) -> None:
    world.fault("drop_reply", CREATE)
    world.fault(blind[0], blind[1], **({"ms": 60_000} if blind[0] == "stale_realtime" else {}))
    await world.cycle("buy")
    assert world.order().state is OrderState.FILLED


async def test_an_open_position_is_kept_as_it_is_by_the_same_view(world: World) -> None:
    await world.cycle("buy")
    before = world.position()
    report = await world.cycle(decision("buy", leverage=3, stop_loss="0.01"))
    assert result_of(report).outcome == "kept"
    assert len(world.transport.orders()) == 1
    after = world.position()
    assert (after.qty, after.stop_loss, after.leverage) == (before.qty, before.stop_loss, before.leverage)


async def test_leverage_is_read_back_before_an_entry_leaves(world: World) -> None:
    world.fault("leverage_changed", "/v5/position/list", leverage="2")
    await world.cycle("buy")
    assert world.position().leverage == world.order().leverage == 5


async def test_a_leverage_that_reads_back_as_another_blocks_the_entry(world: World) -> None:
    hand = world.engine.dealing
    world.on("/v5/position/set-leverage", lambda: hand.set_leverage(world.uid(1), SYMBOL, Decimal(2)), after=True)
    await world.cycle(decision("buy", leverage=5))
    assert (world.order().state, world.order().attempts) == (OrderState.BLOCKED, 0)


async def test_a_leverage_that_cannot_be_set_blocks_the_entry(world: World) -> None:
    world.fault("http_5xx_before", "/v5/position/set-leverage")
    await world.cycle("buy")
    assert world.order().state is OrderState.BLOCKED
    assert world.transport.orders() == []


@pytest.mark.parametrize(
    ("stood_ms", "since_ms", "ahead_ms", "again"),
    [(0, 1_900, 0, 0), (0, 2_100, 0, 1), (30_000, 1_900, 0, 0), (0, 0, 500, 1)],
    ids=["fresh", "stale", "stood in line", "of the future"],
)
async def test_a_flat_reading_is_good_for_two_seconds_by_the_venues_clock(
    world: World, monkeypatch: pytest.MonkeyPatch, stood_ms: int, since_ms: int, ahead_ms: int, again: int
) -> None:
    plan, read = world.ledger.plan, BybitExchange.position
    reads: list[str] = []

    async def after_its_turn(self: BybitExchange, symbol: str) -> Position:
        reads.append(symbol)
        world.to(world.clock.now_ms() + stood_ms)
        seen = await read(self, symbol)
        return replace(seen, seen_at=seen.seen_at + ahead_ms)

    async def plan_and_wait(*args: object) -> object:
        orders = await plan(*args)  # type: ignore[arg-type]
        world.to(world.clock.now_ms() + since_ms)
        reads.clear()
        return orders

    monkeypatch.setattr(BybitExchange, "position", after_its_turn)
    world.ledger.plan = plan_and_wait  # type: ignore[method-assign,assignment]
    await world.cycle(decision("buy", leverage=10))
    assert (world.order().state, len(reads)) == (OrderState.FILLED, again)


async def test_leverage_is_never_set_on_a_position_that_appeared_meanwhile(world: World) -> None:
    plan = world.ledger.plan

    async def plan_then_trade_by_hand(*args: object) -> object:
        orders = await plan(*args)  # type: ignore[arg-type]
        world.by_hand("buy", "0.005")
        return orders

    world.ledger.plan = plan_then_trade_by_hand  # type: ignore[method-assign,assignment]
    await world.cycle("buy")
    assert world.order().state is OrderState.BLOCKED
    assert [path for _, path, _ in world.transport.sent if path.endswith("set-leverage")] == []


async def test_nothing_is_entered_where_a_position_of_ours_is_not_shown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.cycle("buy")
    held, shown = world.position().qty, BybitExchange.position

    async def behind(self: BybitExchange, symbol: str) -> Position:
        seen = await shown(self, symbol)
        return Position(symbol, leverage=seen.leverage, seen_at=seen.seen_at)

    monkeypatch.setattr(BybitExchange, "position", behind)
    t_ms = world.t_ms + 60_000
    world.to(t_ms + 2_000)
    report = await run_cycle(world.context, t_ms, only=frozenset({1}))
    assert result_of(report).outcome == "refused"
    assert world.position().qty == held
