"""
The platform's limits over the accounts of one pool in one cycle.

The limits are read once per cycle and written down as locks of the platform; every entry reserves its part the moment
its size is fixed. Between reading what is left and reserving nothing is awaited, so many accounts together stay within
the limit as one account would. Cycles overlap (people ask for their own), so reservations are the trader's: each
headroom counts every reservation made since the headroom began to read, of any cycle, and the reservations that were
standing then. A reservation whose entry was not filled is not given back before the next cycle reads the books again.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from lib import log
from lib.domain import reason_codes as codes
from lib.domain.account import PlatformLimits, Pool, Slot
from lib.domain.gates import (
    UNREADABLE,
    Facts,
    Gate,
    PlatformFacts,
    lasting_platform_gates,
    platform_gates,
    platform_kind,
)
from lib.domain.order import IN_FLIGHT, Order, OrderState
from lib.domain.position import ZERO
from lib.domain.reason import NOTHING, Reason
from lib.domain.worker import Room
from lib.trading.context import TradingContext
from lib.trading.state import Reservations

LOG = log.get("trading.platform_limits")
BUDGET = "analyst_budget"
NOTHING_ASIDE = Room(0, ZERO)
NOWHERE: Slot = (0, "")


@dataclass(slots=True)
class Headroom:
    """
    What the platform's limits leave the accounts of one pool together, in the cycle of T.

    *seen* is the use by books and rows, without the reservations of *since* and later; *reservations* are the trader's,
    and grow.
    """

    t_ms: int
    limits: PlatformLimits
    seen: PlatformFacts
    reservations: Reservations
    since: Reservations
    planned: Mapping[Slot, Decimal] = field(default_factory=dict)
    """
    Where and of which notional an entry was planned by a trader that died: the entry may be sent yet, and is in
    no reservation.
    """
    aside: Room = NOTHING_ASIDE
    """What of the limits other processes were lent, and so is not ours to use; nothing where one trader does all."""
    _silences: dict[str, asyncio.Future[int]] = field(default_factory=dict)
    _taken_up: set[Slot] = field(default_factory=set)
    """Those of *planned* whose entry was reserved since."""

    async def silence(self, context: TradingContext, symbol: str) -> int:
        """Cycles in a row before T that got no answer about *symbol*; read once for all accounts."""
        if symbol not in self._silences:
            reading = context.cycles.analyst_failures(context.feed, symbol, self.t_ms)
            self._silences[symbol] = asyncio.ensure_future(reading)
        return await asyncio.shield(self._silences[symbol])

    def use(self, slot: Slot = NOWHERE) -> PlatformFacts:
        """
        The use by now, without the planned entry in *slot*: *seen*, the reservations since, the planned entries.
        """
        planned = [self.planned[other] for other in self.planned.keys() - self._taken_up - {slot}]
        entries = self.reservations.entries - self.since.entries + len(planned)
        exposure = self.reservations.notional - self.since.notional + sum(planned, ZERO)
        entries, exposure = entries + self.aside.entries, exposure + self.aside.exposure
        return replace(self.seen, entries=self.seen.entries + entries, exposure=self.seen.exposure + exposure)

    def gates(self, slot: Slot = NOWHERE) -> tuple[Gate, ...]:
        """The platform's gates that stand for an entry in *slot*."""
        return platform_gates(self.use(slot), self.limits, self.t_ms)

    @property
    def closed_budget(self) -> Reason:
        """Why the analyst is asked for nobody; `NOTHING` = it may be."""
        if self._is_unread("analyst_tokens", "analyst_cost", "person_cost"):
            return UNREADABLE
        spent = [gate.why for gate in self.gates() if gate.kind == BUDGET]
        if not spent and BUDGET in self.seen.locks:
            return codes.ENTRIES_LOCKED(locks=f"platform: {BUDGET}")
        return spent[0] if spent else NOTHING

    @property
    def guests_budget(self) -> Reason:
        """Why the analyst is asked for no guests; `NOTHING` = it may be."""
        if self._is_unread("guest_tokens"):
            return UNREADABLE
        used, most = self.seen.guest_tokens, self.limits.guest_tokens
        return NOTHING if used < most else codes.GUEST_TOKENS(tokens=used, limit=most)

    def _is_unread(self, *budgets: str) -> bool:
        """Whether one of *budgets* cannot be read: the operator's limit may be lower than the one known here."""
        return any(name in self.limits.unreadable for name in budgets)

    def over(self, slot: Slot, known: Facts) -> Facts:
        """*known* of an account with this headroom's gates of now; a lock that outlives its figures is among them."""
        gates = self.gates(slot)
        standing = {gate.kind for gate in gates}
        held = tuple(f"platform: {kind}" for kind in self.seen.locks if kind not in standing)
        room = self.limits.max_exposure - self.use(slot).exposure
        return replace(known, platform=gates, locks=(*held, *known.locks), room=room)

    def reserve(self, slot: Slot, notional: Decimal) -> None:
        """One entry there, of at most *notional* USDT, is about to be made."""
        self._taken_up.add(slot)
        self.reservations.take(slot, notional)


Headrooms = Mapping[Pool, Headroom]
"""What the platform's limits leave each pool."""


async def limits_now(context: TradingContext) -> PlatformLimits:
    """The platform's limits of this moment: the environment's, each overridden by an operator's readable row."""
    overrides = await context.limits.limit_overrides()
    if overrides.unreadable:
        LOG.alert("platform.limits_unreadable", names=", ".join(overrides.unreadable))
    return overrides.over(context.platform)


async def open_headroom(
    context: TradingContext,
    pool: Pool,
    platform: PlatformLimits,
    underway: Sequence[Order],
    t_ms: int,
    since: Reservations,
) -> Headroom:
    """
    The headroom of *pool* at T under the limits *platform*, with the pool's *underway* (rows not terminal) counted;
    gates that stand are locked.

    *since* is the mark of the pool's reservations from before *underway* was read.
    """
    facts, limits = await context.limits.platform_facts(context.feed, t_ms, pool), platform.of(pool, context.pools)
    reservations = context.state.reservations[pool]
    reserved = since.standing.keys() | reservations.standing.keys()  # each counts once, its row or its reservation
    exposure = facts.exposure + sum((_at_stake(order) for order in underway if order.slot not in reserved), ZERO)
    seen = replace(facts, exposure=exposure)
    # a reservation or a planned entry alone locks nothing: a lock would stop at its claim the very entry that reserved
    for gate in lasting_platform_gates(seen, limits, t_ms):
        if gate.kind not in seen.locks:
            LOG.alert("platform.locked", pool=pool, kind=gate.kind, why=gate.why, until_ms=gate.until_ms)
            await context.limits.lock(0, platform_kind(pool, gate.kind), gate.until_ms, gate.why)
    unsent = {order.slot: _notional(order) for order in underway if _is_unsent_entry(order)}
    planned = {slot: unsent[slot] for slot in unsent.keys() - reserved}
    return Headroom(t_ms, limits, seen, reservations, _before(since, underway), planned)


def _before(mark: Reservations, underway: Iterable[Order]) -> Reservations:
    """
    *mark* without its standing reservations, so that they count; a reservation whose row was sent is among the entries
    already.
    """
    sent = {order.slot for order in underway if order.is_entry and order.attempts}
    unsent = sum(slot not in sent for slot in mark.standing)
    return Reservations(mark.entries - unsent, mark.notional - sum(mark.standing.values(), ZERO))


def _is_unsent_entry(order: Order) -> bool:
    return order.is_entry and order.state is OrderState.PLANNED and not order.attempts


def _at_stake(order: Order) -> Decimal:
    """The notional that an entry which was sent may still become, in USDT."""
    is_sent = order.state in IN_FLIGHT or (order.state is OrderState.PLANNED and order.attempts)
    return _notional(order) if order.is_entry and is_sent else ZERO


def _notional(order: Order) -> Decimal:
    """The notional at the dearer of limit and reference price, in USDT; 0 for an entry that is not sized yet."""
    return ZERO if order.qty is None else order.qty * max(order.limit_price, order.ref_price)
