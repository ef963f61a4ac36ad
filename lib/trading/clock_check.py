"""
How far the clock this process signs by is off the ledger's and the venues' clocks.

Entries are stamped by our clock, claimed by the ledger's and accepted by the exchange's, so a clock that is off makes
claims and requests be refused. Measured at start and each minute; the offset is shown and, beyond half a second,
alerted. Nothing is corrected here and nothing is stopped: the claim refuses by itself.
"""

from collections.abc import Awaitable, Callable

from lib import log
from lib.domain.account_records import TraderAccount
from lib.domain.errors import Pause, Retry
from lib.trading.context import TradingContext

LOG = log.get("trading.clock_check")
CHECK_EVERY_S = 60
MOST_MS = 500
"""A larger offset is alerted: the claim allows a second, the exchange a second ahead."""


async def check_clocks(context: TradingContext) -> int:
    """
    How far our clock is off the ledger's or any venue's, whichever is worst, in ms; positive = ours is ahead.

    Only an offset that the time of the answer's way cannot explain counts. A clock that cannot be asked is left out.
    The result goes to `system:status` as *clock_offset_ms*; beyond *MOST_MS* an alert names the other clock.
    """
    found = {"ledger": await _ahead_of(context, "ledger", context.orders.now)}
    for venue, account in (await _one_of_each_venue(context)).items():
        found[venue] = await _ahead_of(context, venue, _venue_time(context, account))
    worst = max(found.values(), key=abs)
    for name, ahead_ms in found.items():
        if abs(ahead_ms) > MOST_MS:
            LOG.alert("clock.off", other=name, ahead_ms=ahead_ms)
    try:
        await context.candles.set_status({"clock_offset_ms": str(worst)})
    except Retry as busy:
        LOG.warning("clock.unshown", why=str(busy))
    return worst


async def _one_of_each_venue(context: TradingContext) -> dict[str, TraderAccount]:
    try:
        return {account.venue: account for account in reversed(await context.switches.accounts())}
    except Retry:
        return {}


def _venue_time(context: TradingContext, account: TraderAccount) -> Callable[[], Awaitable[int]]:
    async def ask() -> int:
        return await context.exchanges.open(account, "resolve").server_time()

    return ask


async def _ahead_of(context: TradingContext, name: str, ask: Callable[[], Awaitable[int]]) -> int:
    """How far we certainly are ahead of the clock that *ask* reads, in ms; negative = behind, 0 = not certainly."""
    before = context.clock.now_ms()
    try:
        theirs = await ask()
    except (Retry, Pause) as away:
        LOG.warning("clock.unread", other=name, why=str(away))
        return 0
    after = context.clock.now_ms()
    # the other side reads its clock at some moment between our two readings
    return before - theirs if theirs < before else min(after - theirs, 0)
