"""
What the analyst is shown at T: the thirty candles and, for accounts that chose them, blocks beside those.

Blocks are gathered once for all accounts of a symbol and only those that somebody chose; none chosen, nothing is read.
Trouble with a block is the block's: it is left out with its reason, and the cycle goes on. The candles' own contract is
`decision_window`, and whoever fails it is skipped, blocks or not.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.candle import Candle
from lib.domain.errors import Retry
from lib.domain.input_blocks import Block, Shown
from lib.domain.lens import clear
from lib.market.sight import Material, kept_for, measures_for, minutes_for, shown
from lib.trading.context import INTERVAL, TradingContext
from lib.trading.cycle.prompt import asked_with


@dataclass(frozen=True, slots=True)
class Sight:
    """What one prompt group is shown: *window* (closed candles, oldest first) and blocks beside it."""

    window: Sequence[Candle]
    shown: tuple[Shown, ...] = ()


@dataclass(frozen=True, slots=True)
class Sights:
    """What each account of one symbol is shown; the blocks that are everybody's by their choice."""

    window: Sequence[Candle]
    blocks: Mapping[Block, Shown] = field(default_factory=dict)

    def of(self, account: TraderAccount) -> Sight:
        """What *account*'s group is shown."""
        chosen = asked_with(account).inputs
        return Sight(self.window, tuple(self.blocks[block] for block in chosen if block in self.blocks))


async def look(
    context: TradingContext, symbol: str, t_ms: int, window: Sequence[Candle], accounts: Iterable[TraderAccount]
) -> Sights:
    """What *accounts*, which all trade *symbol*, are shown at T."""
    chosen = {block for account in accounts for block in asked_with(account).inputs}
    if not chosen:
        return Sights(window)
    blocks = sorted(chosen, key=lambda block: block.name)
    try:
        material = await _gathered(context, symbol, t_ms, blocks)
    except Retry as away:
        why = codes.INPUT_UNREAD(why=away.why)
        return Sights(window, {block: Shown(block, left_out=why) for block in blocks})
    return Sights(window, {one.block: one for one in shown(blocks, material, clear(t_ms))})


async def _gathered(context: TradingContext, symbol: str, t_ms: int, blocks: Sequence[Block]) -> Material:
    kinds = measures_for(blocks)
    measured = await asyncio.gather(*(context.measures.as_of(symbol, kind, t_ms) for kind in kinds))
    known = {one.kind: one for one in measured if one is not None}
    wanted = minutes_for(blocks)
    if not wanted:
        return Material(t_ms, measured=known)
    minutes, *kept = await asyncio.gather(
        context.candles.newest(symbol, INTERVAL, wanted),
        *(context.candles.newest(symbol, interval, count) for interval, count in kept_for(blocks).items()),
    )
    return Material(t_ms, minutes, dict(zip(kept_for(blocks), kept, strict=True)), known)
