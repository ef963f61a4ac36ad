"""
One process asks the analyst for everybody, where accounts are divided among workers.

Each prompt group's answer is fetched and recorded once; the workers find it there. Nothing rests on it: a worker that
finds no answer in time asks for itself, and the first answer recorded stands for the whole group whoever asked.
"""

import asyncio
from collections.abc import Sequence

from lib import log
from lib.domain.account import POOLS
from lib.domain.account_records import TraderAccount
from lib.domain.errors import Skip
from lib.trading.context import TradingContext, due, on_each_symbol
from lib.trading.cycle.candles import decision_window
from lib.trading.cycle.opinion import announced, paid_answer
from lib.trading.cycle.platform_limits import Headrooms
from lib.trading.cycle.run import read_headrooms
from lib.trading.cycle.sight import look

LOG = log.get("cycle.asking")


async def ask_for_everybody(context: TradingContext, t_ms: int) -> None:
    """Record the answer of each prompt group that is due at T, whoever owns its accounts."""
    reserved = {pool: context.state.reservations[pool].mark() for pool in POOLS}
    unresolved = await context.orders.open_orders()
    everybody = await context.switches.accounts()
    headrooms = await read_headrooms(context, everybody, unresolved, t_ms, reserved)
    accounts = [account for account in on_each_symbol(everybody) if due(account, context.feed, t_ms)]
    symbols = sorted({account.symbol for account in accounts})
    crowds = ([account for account in accounts if account.symbol == symbol] for symbol in symbols)
    asked = (_ask_about(context, t_ms, crowd, headrooms) for crowd in crowds)
    for result in await asyncio.gather(*asked, return_exceptions=True):
        if isinstance(result, BaseException):
            LOG.warning("analyst.not_asked_for_everybody", t_ms=t_ms, why=repr(result))


async def _ask_about(
    context: TradingContext, t_ms: int, accounts: Sequence[TraderAccount], headrooms: Headrooms
) -> None:
    """The groups of one symbol; one group's failure is no other's."""
    window = await decision_window(context, accounts[0].symbol, t_ms)
    sights = await look(context, accounts[0].symbol, t_ms, window, accounts)
    asked = (paid_answer(context, group, headrooms) for group in announced(context, t_ms, accounts, sights))
    for result in await asyncio.gather(*asked, return_exceptions=True):
        if isinstance(result, BaseException) and not isinstance(result, Skip):
            LOG.warning("analyst.group_not_asked", t_ms=t_ms, why=repr(result))
