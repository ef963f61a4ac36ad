"""
Whether an account still trades in the modes it was set to: isolated margin and one-way positions.

The modes are read at start, once a UTC day, and again before a day's first entry. An account whose owner changed the
modes is paused with one sentence; until the modes were seen to be right there is no entry. Exits, stops and the
guardian ask nothing here.
"""

import asyncio

from lib import log
from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.day import utc_day
from lib.domain.errors import Pause, Retry
from lib.domain.modes import mode_problem
from lib.domain.position import Position
from lib.domain.reason import NOTHING, Reason
from lib.ports.exchange import Exchange
from lib.trading.context import TradingContext, fits, on_each_symbol

LOG = log.get("trading.account_modes")
CHECK_EVERY_S = 600
"""How often the accounts whose modes were not read today are looked for."""


async def modes_refusal(
    context: TradingContext,
    account: TraderAccount,
    exchange: Exchange,
    position: Position,
    entries_today: int,
    t_ms: int,
) -> Reason:
    """
    Why the modes of *account* allow no entry at T, `NOTHING` when they do. Modes that were changed pause the account.

    *position* was just read. The margin mode is read when the modes were not seen to be right on this day, and for the
    day's first entry; when the mode cannot be read there is no entry, and the account is not paused.
    """
    day = utc_day(t_ms)
    if position.one_way and entries_today and context.state.modes_right_on(account.slot) == day:
        return NOTHING
    try:
        why = mode_problem(await exchange.margin_mode(), one_way=position.one_way, doubts=account.doubts)
    except Retry as busy:
        return codes.MODES_UNREAD(why=busy.why)
    except Pause as refused:
        why = refused.why
    if not why:
        context.state.modes_right(account.slot, day)
        return NOTHING
    # doubtful again: an owner who resumes without having changed the mode back is paused again
    context.state.modes_doubtful(account.slot)
    LOG.warning("account.modes_changed", account=account.account_id, why=why)
    await context.switches.pause(account.account_id, why)
    return why


async def check_modes(context: TradingContext) -> None:
    """Read the modes of every trading account not read today; an account that cannot be read is tried next time."""
    now = context.clock.now_ms()
    views = on_each_symbol(await context.own_accounts())
    unseen = [account for account in views if _to_see(context, account, utc_day(now))]
    asked = (_read_modes(context, account, now) for account in unseen)
    results = await asyncio.gather(*asked, return_exceptions=True)
    for account, result in zip(unseen, results, strict=True):
        if isinstance(result, BaseException):
            LOG.warning("account.modes_unread", account=account.account_id, why=repr(result))


async def _read_modes(context: TradingContext, account: TraderAccount, now: int) -> None:
    exchange = context.exchanges.open(account, "resolve")
    await modes_refusal(context, account, exchange, await exchange.position(account.symbol), 0, now)


def _to_see(context: TradingContext, account: TraderAccount, day: int) -> bool:
    trades = account.auto_trade and account.trading_enabled and account.traded and fits(account, context.feed)
    return trades and context.state.modes_right_on(account.slot) != day
