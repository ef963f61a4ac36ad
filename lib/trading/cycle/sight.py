"""
What the analyst is shown at T: the thirty candles and, for accounts that chose them, blocks beside those.

Material is gathered once for all accounts of a symbol and only what somebody chose; none chosen, nothing is read. Of an
account itself a prompt knows its bucket alone. Trouble with a block is the block's: it is left out with its reason, and
the cycle goes on. The candles' own contract is `decision_window`, and whoever fails it is skipped, blocks or not.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.bucket import Bucket, bucket_of
from lib.domain.candle import Candle
from lib.domain.errors import Retry
from lib.domain.input_blocks import BLINDFOLD, Block, Shown
from lib.domain.opinions import Opinion
from lib.domain.position import ZERO
from lib.domain.reason import NOTHING, Reason
from lib.market.sight import Material, kept_for, lens_for, measures_for, minutes_for, shown
from lib.ports.market import AsyncMeasureReader
from lib.ports.news import AsyncNewsReader
from lib.trading.context import INTERVAL, TradingContext
from lib.trading.cycle.prompt import asked_sha256, asked_with


class NewestCandles(Protocol):
    """Closed candles of one list."""

    async def newest(self, symbol: str, interval: str, count: int) -> list[Candle]: ...


class Sources(Protocol):
    """Where what is shown is read."""

    @property
    def candles(self) -> NewestCandles: ...

    @property
    def measures(self) -> AsyncMeasureReader: ...

    @property
    def news(self) -> AsyncNewsReader: ...


@dataclass(frozen=True, slots=True)
class Sight:
    """What one prompt group is shown: *window* (closed candles, oldest first) and blocks beside it, as of *t_ms*."""

    window: Sequence[Candle]
    shown: tuple[Shown, ...] = ()


@dataclass(slots=True)
class Sights:
    """
    What each account of one symbol is shown, made of *material*; *unread* says why there is none.

    *buckets* by account, *opinions* by what is asked with *model*. What equal choices share is made once.
    """

    window: Sequence[Candle]
    material: Material | None = None
    unread: Reason = NOTHING
    model: str = ""
    buckets: Mapping[int, Bucket] = field(default_factory=dict)
    opinions: Mapping[str, Sequence[Opinion]] = field(default_factory=dict)
    made: dict[tuple[object, ...], tuple[Shown, ...]] = field(default_factory=dict)

    def of(self, account: TraderAccount) -> Sight:
        """What *account*'s group is shown."""
        inputs = asked_with(account).inputs
        if not inputs or (self.material is None and not self.unread):
            return Sight(self.window)
        if self.material is None:
            return Sight(self.window, tuple(Shown(one, left_out=self.unread) for one in inputs if one != BLINDFOLD))
        asked, bucket = asked_sha256(account, self.model), self.buckets.get(account.account_id)
        known = (asked, bucket)
        if known not in self.made:
            material = replace(self.material, bucket=bucket, opinions=self.opinions.get(asked, ()))
            self.made[known] = shown(inputs, material, lens_for(inputs, material.t_ms, self.window))
        return Sight(self.window, self.made[known])


async def look(
    context: TradingContext, symbol: str, t_ms: int, window: Sequence[Candle], accounts: Iterable[TraderAccount]
) -> Sights:
    """What *accounts*, which all trade *symbol*, are shown at T."""
    choosers = [account for account in accounts if asked_with(account).inputs]
    blocks = sorted({block for account in choosers for block in asked_with(account).inputs}, key=lambda one: one.name)
    if not blocks:
        return Sights(window)
    try:
        material = await gathered(context, symbol, t_ms, blocks)
        buckets = await _buckets(context, [one for one in choosers if _chose(one, "position")], window)
        opinions = await _opinions(context, [one for one in choosers if _chose(one, "outcomes")], t_ms)
    except Retry as away:
        return Sights(window, unread=codes.INPUT_UNREAD(why=away.why))
    return Sights(window, material, NOTHING, context.model, buckets, opinions)


def _chose(account: TraderAccount, kind: str) -> bool:
    return any(block.kind == kind for block in asked_with(account).inputs)


async def _buckets(
    context: TradingContext, accounts: Sequence[TraderAccount], window: Sequence[Candle]
) -> dict[int, Bucket]:
    entries = await asyncio.gather(*(context.orders.last_entry(one.slot) for one in accounts if one.booked_qty))
    entered = {order.account_id: order for order in entries if order is not None}
    buckets: dict[int, Bucket] = {}
    for account in accounts:
        order, qty = entered.get(account.account_id), account.booked_qty
        prices = (order.avg_price, order.stop_loss) if order else (ZERO, ZERO)
        buckets[account.account_id] = bucket_of(qty, *prices, window[-1].close)
    return buckets


async def _opinions(
    context: TradingContext, accounts: Sequence[TraderAccount], t_ms: int
) -> dict[str, Sequence[Opinion]]:
    asked = {asked_sha256(one, context.model): one for one in accounts}
    found = await asyncio.gather(
        *(context.cycles.opinions(context.feed, one.symbol, sha, t_ms) for sha, one in asked.items())
    )
    return dict(zip(asked, found, strict=True))


async def gathered(context: Sources, symbol: str, t_ms: int, blocks: Sequence[Block]) -> Material:
    """What *blocks* are made of, as of T. *Retry* when a store is away."""
    kinds = measures_for(blocks)
    measured = await asyncio.gather(*(context.measures.as_of(symbol, kind, t_ms) for kind in kinds))
    known = {one.kind: one for one in measured if one is not None}
    news = await context.news.as_of(t_ms) if any(block.kind == "news" for block in blocks) else None
    wanted = minutes_for(blocks)
    if not wanted:
        return Material(t_ms, measured=known, news=news)
    minutes, *kept = await asyncio.gather(
        context.candles.newest(symbol, INTERVAL, wanted),
        *(context.candles.newest(symbol, interval, count) for interval, count in kept_for(blocks).items()),
    )
    return Material(t_ms, minutes, dict(zip(kept_for(blocks), kept, strict=True)), known, news=news)
