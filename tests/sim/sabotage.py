"""
One guard of the protocol taken out, in memory: what the simulation must find, or it proves nothing.

Each takes pytest's monkeypatch (or anything with its `setattr`) and removes exactly one thing from the real code.
"""

import asyncio
import dataclasses
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol

from lib.adapters.bybit.limits.turnstile import Answer
from lib.adapters.bybit.rest import client, order_wire
from lib.adapters.bybit.rest.client import BybitExchange
from lib.adapters.redis.limiter import RedisBudget
from lib.domain import order as law
from lib.domain.exchange_records import OrderAnswer, SendReply, SignedOrder
from lib.domain.instrument import Instrument
from lib.domain.order import MAX_ATTEMPTS, Leg, Order, OrderState, SendOutcome
from lib.domain.position import Position
from lib.trading.context import TradingContext
from lib.trading.guardian.rules import GuardedPosition
from lib.trading.guardian.stop_calls import StopCalls
from lib.trading.guardian.task import Guardian
from lib.trading.orders import resolve
from lib.trading.orders import send as execution


class Patcher(Protocol):
    def setattr(self, target: Any, name: str, value: Any) -> None: ...


def age_unchecked(patch: Patcher) -> None:
    """The claim takes a decision of any age."""
    patch.setattr(law, "MAX_AGE_MS", 10**12)


def switches_unread(patch: Patcher) -> None:
    """The claim reads no switch, key version, settings version or lock."""
    patch.setattr(law, "_blocked", lambda order, facts: "")


def absent_at_once(patch: Patcher) -> None:
    """Three empty answers prove absence whatever their time."""
    patch.setattr(resolve, "absence_proved", lambda signed_ts, answer_time: True)


def timeout_is_failure(patch: Patcher) -> None:
    """No readable reply is booked as a rejection."""
    real = law.after_hint

    def hint(outcome: SendOutcome, attempts: int) -> OrderState:
        return OrderState.REJECTED if outcome is SendOutcome.UNKNOWN else real(outcome, attempts)

    patch.setattr(execution, "after_hint", hint)


def no_sweep(patch: Patcher) -> None:
    """Orders of ours without a row are never looked for."""

    async def nothing(self: BybitExchange, symbol: str, since_ms: int) -> list[Any]:
        return []

    patch.setattr(BybitExchange, "orders_since", nothing)


def no_guardian(patch: Patcher) -> None:
    """Nobody looks at positions."""

    async def idle(self: Guardian) -> None:
        await asyncio.get_running_loop().create_future()

    patch.setattr(Guardian, "run", idle)


def signed_at_send(patch: Patcher) -> None:
    """The stamp is taken after the claim instead of before it."""
    real = BybitExchange.send_order

    async def send(self: BybitExchange, signed: SignedOrder) -> SendReply:
        stamp = await self._calls._stamp()
        return await real(self, dataclasses.replace(signed, headers=self._calls.sign(stamp, signed.body)))

    patch.setattr(BybitExchange, "send_order", send)


def stop_by_second_call(patch: Patcher) -> None:
    """The entry leaves without its stop."""
    real = order_wire.order_body
    patch.setattr(client, "order_body", lambda order: real(order).replace(b'"stopLoss"', b'"stopLater"'))


def fresh_id_each_send(patch: Patcher) -> None:
    """A lost reply leads to another send, under another id."""
    real_sign, real_hint = BybitExchange.sign_order, law.after_hint

    def sign(self: BybitExchange, order: Order, timestamp_ms: int) -> SignedOrder:
        link = law.parse_link_id(order.order_link_id)
        assert link is not None
        leg: Leg = link.leg
        fresh = law.order_link_id(
            link.installation, link.t_ms, link.symbol_no, link.account_id, leg, link.seq + order.attempts
        )
        signed = real_sign(self, dataclasses.replace(order, order_link_id=fresh), timestamp_ms)
        return dataclasses.replace(signed, order_link_id=order.order_link_id)

    def hint(outcome: SendOutcome, attempts: int) -> OrderState:
        again = outcome is SendOutcome.UNKNOWN and attempts < MAX_ATTEMPTS
        return OrderState.PLANNED if again else real_hint(outcome, attempts)

    patch.setattr(BybitExchange, "sign_order", sign)
    patch.setattr(execution, "after_hint", hint)


def only_realtime_asked(patch: Patcher) -> None:
    """What /order/realtime does not show, does not exist."""
    real = BybitExchange.find_order

    async def find(self: BybitExchange, symbol: str, order_link_id: str) -> OrderAnswer:
        answer = await real(self, symbol, order_link_id)
        found = await self.open_orders(symbol)
        records = tuple(record for record in found if record.order_link_id == order_link_id)
        return OrderAnswer(records, (), answer.time)

    patch.setattr(BybitExchange, "find_order", find)


def twice_the_size(patch: Patcher) -> None:
    """Quantities are rounded to twice what the caps allow."""
    real = Instrument.floor_qty
    patch.setattr(Instrument, "floor_qty", lambda self, qty: real(self, qty * 2))


def enter_without_redis(patch: Patcher) -> None:
    """While the shared budget cannot be reached, everybody may call."""
    patch.setattr(RedisBudget, "_without_redis", lambda self, ask: Answer())


def stop_from_memory(patch: Patcher) -> None:
    """A stop is put back where this process remembers it, whatever the ledger has; tried where stops move."""

    async def remembered(
        self: StopCalls, context: TradingContext, position: Position, guarded: GuardedPosition, *, lost: bool
    ) -> Decimal:
        return guarded.wanted

    patch.setattr(StopCalls, "_claimed", remembered)


Sabotage = Callable[[Patcher], None]
SABOTAGES: tuple[Sabotage, ...] = (
    age_unchecked,
    switches_unread,
    absent_at_once,
    timeout_is_failure,
    no_sweep,
    no_guardian,
    signed_at_send,
    stop_by_second_call,
    fresh_id_each_send,
    only_realtime_asked,
    twice_the_size,
    enter_without_redis,
)
