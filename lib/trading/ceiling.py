"""
The platform's limits over the accounts of one cycle.

Read once per cycle, written down as locks of the platform, and drawn from by every entry the moment its size is fixed:
between looking at what is left and taking it nothing is awaited, so many accounts together stay where one would. Cycles
overlap (people ask for their own), so draws are the desk's: each ceiling counts every draw made since it began to read,
whoever's it is, and those that were standing then. What was drawn and then not filled is not given back before the
next cycle reads the books again.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from lib import log
from lib.domain.account import PlatformLimits
from lib.domain.gates import Facts, Gate, PlatformFacts, platform_gates
from lib.domain.order import IN_FLIGHT, Order, OrderState
from lib.domain.position import ZERO
from lib.trading.desk import Desk, Draws

LOG = log.get("trading.ceiling")
BUDGET = "analyst_budget"


@dataclass(slots=True)
class Ceiling:
    """
    What the accounts of the cycle of T have left together.

    *seen* is what books and rows tell, without the draws of *since* and later; *draws* is the desk's, and grows.
    """

    t_ms: int
    limits: PlatformLimits
    seen: PlatformFacts
    draws: Draws
    since: Draws
    _silences: dict[str, asyncio.Future[int]] = field(default_factory=dict)

    async def silence(self, desk: Desk, symbol: str) -> int:
        """Cycles in a row before T that got no answer about *symbol*; read once for everybody."""
        if symbol not in self._silences:
            reading = desk.ledger.analyst_failures(desk.feed, symbol, self.t_ms)
            self._silences[symbol] = asyncio.ensure_future(reading)
        return await asyncio.shield(self._silences[symbol])

    @property
    def use(self) -> PlatformFacts:
        """What is used by now: *seen*, and what was drawn beside it."""
        entries = self.draws.entries - self.since.entries
        exposure = self.draws.notional - self.since.notional
        return replace(self.seen, entries=self.seen.entries + entries, exposure=self.seen.exposure + exposure)

    @property
    def gates(self) -> tuple[Gate, ...]:
        return platform_gates(self.use, self.limits, self.t_ms)

    @property
    def closed_budget(self) -> str:
        """Why the analyst is asked for nobody; "" = it may be."""
        spent = [gate.why for gate in self.gates if gate.kind == BUDGET]
        if not spent and BUDGET in self.seen.locks:
            return _locked(BUDGET)
        return spent[0] if spent else ""

    def over(self, known: Facts) -> Facts:
        """*known* under this ceiling as it is now; a lock that outlives its figures is among the locks."""
        gates = self.gates
        standing = {gate.kind for gate in gates}
        held = tuple(f"platform: {kind}" for kind in self.seen.locks if kind not in standing)
        room = self.limits.max_exposure - self.use.exposure
        return replace(known, platform=gates, locks=(*held, *known.locks), room=room)

    def draw(self, account_id: int, notional: Decimal) -> None:
        """One entry of the account, of at most *notional* USDT, is about to be made."""
        self.draws.take(account_id, notional)


def _locked(kind: str) -> str:
    return f"entries are locked: platform: {kind}"


async def open_ceiling(desk: Desk, underway: Sequence[Order], t_ms: int, since: Draws) -> Ceiling:
    """
    What is left at T, with *underway* (rows not terminal) counted; gates that stand are locked for the platform.

    *since* is the mark of the desk's draws from before *underway* was read.
    """
    facts = await desk.ledger.platform_facts(desk.feed, t_ms)
    drawn = since.standing.keys() | desk.draws.standing.keys()  # each counts once, its row or its draw
    exposure = facts.exposure + sum((_at_stake(order) for order in underway if order.account_id not in drawn), ZERO)
    seen = replace(facts, exposure=exposure)
    # what is only drawn or planned locks nothing: a lock would stop at its claim the very entry that drew it
    for gate in platform_gates(seen, desk.platform, t_ms):
        if gate.kind not in seen.locks:
            LOG.alert("platform.locked", kind=gate.kind, why=gate.why, until_ms=gate.until_ms)
            await desk.ledger.lock(0, gate.kind, gate.until_ms, gate.why)
    planned = sum(_is_unsent_entry(order) and order.account_id not in drawn for order in underway)
    seen = replace(seen, entries=seen.entries + planned)
    return Ceiling(t_ms, desk.platform, seen, desk.draws, _before(since, underway))


def _before(mark: Draws, underway: Iterable[Order]) -> Draws:
    """*mark* without its standing draws, so that they count; one whose row was sent is among the entries already."""
    sent = {order.account_id for order in underway if order.is_entry and order.attempts}
    unsent = sum(account_id not in sent for account_id in mark.standing)
    return Draws(mark.entries - unsent, mark.notional - sum(mark.standing.values(), ZERO))


def _is_unsent_entry(order: Order) -> bool:
    """Planned by a process that died: it may be sent yet, and is not among the entries."""
    return order.is_entry and order.state is OrderState.PLANNED and not order.attempts


def _at_stake(order: Order) -> Decimal:
    """The notional an entry may still become, in USDT."""
    if order.reduce_only or order.qty is None or order.state not in (IN_FLIGHT | {OrderState.PLANNED}):
        return ZERO
    return order.qty * order.limit_price
