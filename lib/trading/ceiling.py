"""
The platform's limits over the accounts of one cycle.

Read once per cycle, written down as locks of the platform, and drawn from by every entry the moment its size is fixed:
between looking at what is left and taking it nothing is awaited, so many accounts together stay where one would. What
was drawn and then not filled is not given back before the next cycle reads the books again.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from lib import log
from lib.domain.account import PlatformLimits
from lib.domain.gates import Facts, Gate, PlatformFacts, platform_gates
from lib.domain.order import IN_FLIGHT, Order, OrderState
from lib.domain.position import ZERO
from lib.trading.desk import Desk

LOG = log.get("trading.ceiling")
BUDGET = "analyst_budget"


@dataclass(slots=True)
class Ceiling:
    """What the accounts of the cycle of T have left together. *use* grows with every entry."""

    t_ms: int
    limits: PlatformLimits
    use: PlatformFacts
    _silences: dict[str, asyncio.Future[int]] = field(default_factory=dict)

    async def silence(self, desk: Desk, symbol: str) -> int:
        """Cycles in a row before T that got no answer about *symbol*; read once for everybody."""
        if symbol not in self._silences:
            reading = desk.ledger.analyst_failures(desk.feed, symbol, self.t_ms)
            self._silences[symbol] = asyncio.ensure_future(reading)
        return await asyncio.shield(self._silences[symbol])

    @property
    def gates(self) -> tuple[Gate, ...]:
        return platform_gates(self.use, self.limits, self.t_ms)

    @property
    def closed_budget(self) -> str:
        """Why the analyst is asked for nobody; "" = it may be."""
        spent = [gate.why for gate in self.gates if gate.kind == BUDGET]
        if not spent and BUDGET in self.use.locks:
            return _locked(BUDGET)
        return spent[0] if spent else ""

    def over(self, known: Facts) -> Facts:
        """*known* under this ceiling as it is now; a lock that outlives its figures is among the locks."""
        gates = self.gates
        standing = {gate.kind for gate in gates}
        held = tuple(f"platform: {kind}" for kind in self.use.locks if kind not in standing)
        room = self.limits.max_exposure - self.use.exposure
        return replace(known, platform=gates, locks=(*held, *known.locks), room=room)

    def draw(self, notional: Decimal) -> None:
        """One entry of at most *notional* USDT is about to be made."""
        self.use = replace(self.use, entries=self.use.entries + 1, exposure=self.use.exposure + notional)


def _locked(kind: str) -> str:
    return f"entries are locked: platform: {kind}"


async def open_ceiling(desk: Desk, underway: Iterable[Order], t_ms: int) -> Ceiling:
    """What is left at T, with *underway* (rows not terminal) counted; gates that stand are locked for the platform."""
    seen = await desk.ledger.platform_facts(desk.feed, t_ms)
    exposure = seen.exposure + sum((_at_stake(order) for order in underway), ZERO)
    ceiling = Ceiling(t_ms, desk.platform, replace(seen, exposure=exposure))
    for gate in ceiling.gates:
        if gate.kind not in seen.locks:
            LOG.alert("platform.locked", kind=gate.kind, why=gate.why, until_ms=gate.until_ms)
            await desk.ledger.lock(0, gate.kind, gate.until_ms, gate.why)
    return ceiling


def _at_stake(order: Order) -> Decimal:
    """The notional an entry may still become, in USDT."""
    if order.reduce_only or order.qty is None or order.state not in (IN_FLIGHT | {OrderState.PLANNED}):
        return ZERO
    return order.qty * order.limit_price
