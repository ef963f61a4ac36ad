"""
What people ask of the trader from the web: a cycle of their own account now, another look at their key, or everything
closed.

A cycle on demand is `run_cycle` for one account at the newest closed minute: same window, plan, claim and send. It is
refused when an entry of ours is younger than a minute. Commands are taken by the leading trader alone, once, and each
ends with one plain sentence; one that waited too long is not carried out. Only the wish to have everything closed does
not grow old: it stands as long as its owner has not resumed trading. Here it only throws the account's switch; closing
and proving are `lib.trading.stopping`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from lib import log
from lib.accounts.key_gate import rights_flaw
from lib.domain.candle import MINUTE_MS
from lib.domain.errors import Pause, Retry
from lib.ports import Command, Commands, Flags, KeyProbe, Opener, SealContext, TraderAccount
from lib.trading.cycle import CycleReport, run_cycle
from lib.trading.desk import Desk

LOG = log.get("trading.commands")
TOO_LATE_MS = 60_000
YOUNG_ENTRY_MS = 60_000


@dataclass(slots=True)
class Clerk:
    """Takes commands and sees to their end."""

    desk: Desk
    commands: Commands
    opener: Opener
    probe: KeyProbe
    _taking: bool = field(default=False)

    async def run_pass(self) -> None:
        """Take what waits and carry it out; *Retry* when the database is away."""
        taken = await self._take()
        for command in taken:
            if command.kind == "flatten":
                await self._flatten(command)  # before anything that could take its time
        taken = [command for command in taken if command.kind != "flatten" and not await self._refused(command)]
        asked = [command for command in taken if command.kind == "ask_now"]
        rechecks = (self._recheck(command) for command in taken if command.kind == "recheck_key")
        await asyncio.gather(self._cycle_now(asked), *rechecks)

    async def _take(self) -> list[Command]:
        """What waits, if we lead; passes overlap, takings do not."""
        if self._taking:
            return []
        self._taking = True
        try:
            if not await self.commands.waiting():
                return []
            if await self.desk.ledger.hold_lease(self.desk.holder, self.desk.lease_ms) is None:
                return []
            return await self.commands.take(self.desk.clock.now_ms())
        finally:
            self._taking = False

    async def _refused(self, command: Command) -> bool:
        now = self.desk.clock.now_ms()
        if now - command.asked_ms > TOO_LATE_MS:
            await self._done(command, "too late: the trader was away, please ask again")
        elif command.kind == "ask_now" and await self._entered_lately(command.account_id, now):
            await self._done(command, "refused: an entry was made less than a minute ago")
        else:
            return False
        return True

    async def _entered_lately(self, account_id: int, now: int) -> bool:
        entries = [order for order in await self.desk.ledger.open_orders() if order.account_id == account_id]
        if (filled := await self.desk.ledger.last_entry(account_id)) is not None:
            entries.append(filled)
        return any(order.is_entry and now - order.t_ms < YOUNG_ENTRY_MS for order in entries)

    # --- everything closed ----------------------------------------------------------------------------------------

    async def _flatten(self, command: Command) -> None:
        account = await self._account(command.account_id)
        if account is None:
            await self._done(command, "there is no account to close")
        elif account.trading_enabled:
            # asking pauses the account at once, so its owner has resumed trading since
            await self._done(command, "not carried out: trading was resumed since")
        else:
            closed = Flags(trading_enabled=False, flatten=True, why="its owner asked to close everything")
            await self.desk.ledger.set_account_flags(account.account_id, closed, f"user:{command.user_id}")
            await self._done(command, "everything is being closed; entries stay off until you resume")

    async def _account(self, account_id: int) -> TraderAccount | None:
        accounts = await self.desk.ledger.accounts()
        return next((account for account in accounts if account.account_id == account_id), None)

    # --- a cycle on demand ----------------------------------------------------------------------------------------

    async def _cycle_now(self, asked: Sequence[Command]) -> None:
        """One cycle for everybody who asked, so that equal prompts share their answer."""
        if not asked:
            return
        now = self.desk.clock.now_ms()
        accounts = frozenset(command.account_id for command in asked)
        try:
            report = await run_cycle(self.desk, now - now % MINUTE_MS, only=accounts)
        except Retry as busy:
            report = CycleReport(now - now % MINUTE_MS, str(busy))
        results = {result.account_id: f"{result.outcome}: {result.reason}" for result in report.results}
        nothing = f"nothing was done: {report.idle or 'this account cannot trade here'}"
        for command in asked:
            await self._done(command, results.get(command.account_id, nothing))

    # --- another look at a key ------------------------------------------------------------------------------------

    async def _recheck(self, command: Command) -> None:
        account = await self._account(command.account_id)
        if account is None:
            await self._done(command, "there is no key to look at")
            return
        try:
            flaw = await self._flaw(account)
        except Retry as busy:
            await self._done(command, f"not checked: {busy}")
            return
        if flaw:
            await self.desk.ledger.pause(account.account_id, flaw)
        await self._done(command, flaw or "the API key is fine")

    async def _flaw(self, account: TraderAccount) -> str:
        """Why the account's key is not taken (any more), "" when it is."""
        context = SealContext(account.user_id, account.venue, account.uid, account.key_version)
        try:
            key = self.opener.open(account.sealed_key, context)
            info = await asyncio.to_thread(self.probe.key_info, account.venue, key)
        except Pause as refused:
            return str(refused)
        if info.uid != account.uid:
            return "the API key belongs to another exchange account"
        flaw = rights_flaw(info, self.desk.clock.now_ms())
        return flaw.sentence if flaw else ""

    async def _done(self, command: Command, result: str) -> None:
        LOG.info("command.done", kind=command.kind, account=command.account_id, result=result)
        await self.commands.done(command.id, result)
