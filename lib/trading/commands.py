"""
Commands of people on the web: run a cycle of their own account now, check their key again, close their position,
close everything.

A cycle on demand is `run_cycle` for one account, in each symbol it trades, at the newest closed minute: same window,
plan, claim and send. It is refused when an entry of ours is younger than a minute. Commands are taken by the leading
trader alone, or by the worker that owns their account, once, and each ends with one reason; a command that waited too
long is not carried out, and one that fails takes no other with it. *Close everything* is a switch of the account, which
the web throws before it puts the command; a lost command loses no switch. That command is only answered here; closing
and proving are `lib.trading.kill_switch.stopper`. One position is closed by `lib.trading.closing`, with no switch
thrown.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from lib import log
from lib.accounts.key_gate import rights_flaw
from lib.domain import reason_codes as codes
from lib.domain.account import Slot
from lib.domain.account_records import TraderAccount
from lib.domain.api_key import SealContext
from lib.domain.candle import MINUTE_MS
from lib.domain.command import Command
from lib.domain.errors import Pause, Retry
from lib.domain.events import of_expiry
from lib.domain.reason import NOTHING, Reason
from lib.ports.exchange import KeyProbe
from lib.ports.ledger import Commands
from lib.ports.secrets import Opener
from lib.trading.closing import close_as_asked
from lib.trading.context import TradingContext
from lib.trading.cycle.run import CycleReport, run_cycle

LOG = log.get("trading.commands")
Answer = TypeVar("Answer")
TOO_LATE_MS = 60_000
YOUNG_ENTRY_MS = 60_000


@dataclass(slots=True)
class CommandRunner:
    """Takes commands, carries them out and writes their results."""

    context: TradingContext
    commands: Commands
    opener: Opener
    probe: KeyProbe
    _taking: bool = field(default=False)
    _wishes: dict[Slot, asyncio.Lock] = field(default_factory=dict)
    """
    By symbol of an account: wishes put again and again are carried out one after the other, or their closes use up the
    ids.
    """
    _checking_keys: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Keys are checked one at a time: a crowd of such commands must not use up the request budget of trading."""

    async def run_pass(self) -> None:
        """Take the waiting commands and carry them out; *Retry* when the database is away before any was taken."""
        taken = await self._take()
        asked = [command for command in taken if command.kind == "ask_now"]
        others = (self._contained(command, self._answer(command)) for command in taken if command.kind != "ask_now")
        await asyncio.gather(self._cycle_now(asked), *others)

    async def _contained(self, command: Command, step: Awaitable[Answer]) -> Answer | None:
        """The answer of *step*; None when the step failed, which is this command's failure alone."""
        (result,) = await asyncio.gather(step, return_exceptions=True)
        if isinstance(result, BaseException):
            # told to its owner as cut off at a later `take`: the database may be what failed
            LOG.error("command.failed", result, kind=command.kind, account=command.account_id)
            return None
        return result

    async def _answer(self, command: Command) -> None:
        if command.kind == "flatten":
            await self._done(command, await self._closing(command))
            return
        if command.kind == "close":
            async with self._wishes.setdefault((command.account_id, command.symbol), asyncio.Lock()):
                if not await self._refused(command):
                    await self._done(command, await self._close(command))
            return
        async with self._checking_keys:
            if not await self._refused(command):
                await self._recheck(command)

    async def _take(self) -> list[Command]:
        """The waiting commands, if we lead; passes overlap, takings do not."""
        if self._taking:
            return []
        self._taking = True
        try:
            if not await self.commands.waiting():
                return []
            if await self.context.led_epoch() is None:
                return []
            if self.context.part.is_whole:
                return await self.commands.take(self.context.clock.now_ms())
            mine = [account.account_id for account in await self.context.own_accounts()]
            return await self.commands.take(self.context.clock.now_ms(), mine)
        finally:
            self._taking = False

    async def _refused(self, command: Command) -> bool:
        now = self.context.clock.now_ms()
        if now - command.asked_ms > TOO_LATE_MS:
            await self._done(command, codes.COMMAND_TOO_LATE())
        elif command.kind == "ask_now" and await self._entered_lately(command.account_id, now):
            await self._done(command, codes.ASKED_TOO_SOON())
        else:
            return False
        return True

    async def _entered_lately(self, account_id: int, now: int) -> bool:
        entries = [order for order in await self.context.orders.open_orders() if order.account_id == account_id]
        account = await self._account(account_id)
        for view in account.views if account is not None else ():
            if (filled := await self.context.orders.last_entry(view.slot)) is not None:
                entries.append(filled)
        return any(order.is_entry and now - order.t_ms < YOUNG_ENTRY_MS for order in entries)

    # --- one position closed --------------------------------------------------------------------------------------

    async def _close(self, command: Command) -> Reason:
        account = await self._account(command.account_id)
        view = account.on(command.symbol or account.symbol) if account is not None else None
        if view is None:
            return codes.NO_ACCOUNT_TO_CLOSE()
        return await close_as_asked(self.context, view, command)

    # --- everything closed ----------------------------------------------------------------------------------------

    async def _closing(self, command: Command) -> Reason:
        account = await self._account(command.account_id)
        if account is None:
            return codes.NO_ACCOUNT_TO_CLOSE()
        if not account.flatten:
            return codes.RESUMED_SINCE()
        return codes.CLOSING_UNTIL_RESUMED()

    async def _account(self, account_id: int) -> TraderAccount | None:
        accounts = await self.context.switches.accounts()
        return next((account for account in accounts if account.account_id == account_id), None)

    # --- a cycle on demand ----------------------------------------------------------------------------------------

    async def _cycle_now(self, asked: Sequence[Command]) -> None:
        """One cycle for all accounts that asked and may trade, so that equal prompts share their answer."""
        refused = [(command, await self._contained(command, self._refused(command))) for command in asked]
        allowed = [command for command, is_refused in refused if is_refused is False]
        if not allowed:
            return
        now = self.context.clock.now_ms()
        accounts = frozenset(command.account_id for command in allowed)
        try:
            report = await run_cycle(self.context, now - now % MINUTE_MS, only=accounts)
        except Retry as busy:
            report = CycleReport(now - now % MINUTE_MS, busy.why)
        results = {
            result.account_id: codes.CYCLE_ENDED(outcome=result.outcome, why=result.reason)
            # of several symbols the one that did most is told
            for result in sorted(report.results, key=lambda result: len(result.orders))
        }
        nothing = codes.NOTHING_DONE(why=report.idle) if report.idle else codes.ACCOUNT_CANNOT_TRADE()
        for command in allowed:
            await self._contained(command, self._done(command, results.get(command.account_id, nothing)))

    # --- another look at a key ------------------------------------------------------------------------------------

    async def _recheck(self, command: Command) -> None:
        account = await self._account(command.account_id)
        if account is None:
            await self._done(command, codes.NO_KEY_TO_CHECK())
            return
        try:
            flaw = await self._flaw(account)
        except Retry as busy:
            await self._done(command, codes.KEY_NOT_CHECKED(why=busy.why))
            return
        if flaw:
            await self.context.switches.pause(account.account_id, flaw)
        else:
            await self._set_one_way(account)
        await self._done(command, flaw or codes.KEY_FINE())

    async def _flaw(self, account: TraderAccount) -> Reason:
        """Why the account's key is not accepted (any more), `NOTHING` when it is."""
        context = SealContext(account.user_id, account.venue, account.uid, account.key_version)
        try:
            key = self.opener.open(account.sealed_key, context)
            info = await asyncio.to_thread(self.probe.key_info, account.venue, key)
        except Pause as refused:
            return refused.why
        if info.uid and info.uid != account.uid:  # demo trading may not tell whose key it is
            return codes.KEY_OF_ANOTHER_ACCOUNT()
        now = self.context.clock.now_ms()
        if (told := of_expiry(account.account_id, info.expires_at, now)) is not None:
            await self.context.notifier.notice(account.account_id, told)
        flaw = rights_flaw(info, now)
        return flaw.why if flaw else NOTHING

    async def _set_one_way(self, account: TraderAccount) -> None:
        """
        Set the mode of positions where the account trades and is flat: a symbol may have been chosen since its key was
        entered. A mode that cannot be set keeps entries off when it is read.
        """
        flat = [view.symbol for view in account.views if view.traded and not view.booked_qty]
        context = SealContext(account.user_id, account.venue, account.uid, account.key_version)
        try:
            key = self.opener.open(account.sealed_key, context)
            await asyncio.to_thread(self.probe.set_one_way, account.venue, key, flat)
        except (Pause, Retry) as refused:
            LOG.warning("key.modes_not_set", account=account.account_id, why=str(refused))

    async def look_at_keys(self) -> None:
        """Look at every key, one after the other, and tell whose ends soon; nobody is paused by it."""
        for account in await self.context.own_accounts():
            async with self._checking_keys:
                (failed,) = await asyncio.gather(self._flaw(account), return_exceptions=True)
            if isinstance(failed, BaseException):
                LOG.warning("key.not_looked_at", account=account.account_id, type=type(failed).__name__)

    async def _done(self, command: Command, result: Reason) -> None:
        LOG.info("command.done", kind=command.kind, account=command.account_id, result=result)
        await self.commands.done(command.id, result)
