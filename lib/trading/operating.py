"""
What an operator may do from a command line: throw switches, resume, prove a pause without a trader.

A switch is a row, so it holds whether or not a trader runs; what L3 shall close, only a running trader closes. Where
nothing is open any more, a pause can be proved here too, by the venues' own clocks. Resuming is its own act and takes
back exactly the switches it names. An operator's stop of an account is an operator's to end, so it is thrown over the
owner's own pause too. Who threw the platform's stands beside it, and the owner of an account is told who
threw theirs. Account 0 is the platform: everybody.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from lib import log
from lib.domain.account import Venue
from lib.ports import Flags, Ledger, TraderAccount
from lib.trading.stopping import PROOF_MS

LOG = log.get("trading.operating")
VenueTime = Callable[[], Awaitable[int]]
"""A venue's own clock, epoch ms, asked without a key. *Retry* when unreachable."""


class NoSuchAccountError(ValueError):
    """The trader knows no such account."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator at work; *who* as in "cli:name@host"."""

    ledger: Ledger
    who: str

    async def stop(self, account_id: int) -> None:
        """L1 of that account, L2 of everybody (0); what is being closed goes on being closed."""
        now = await self.switches(account_id)
        if now.trading_enabled or not _is_operators(now):
            await self._throw(account_id, Flags(False, now.flatten, why="an operator stopped trading"))

    async def flatten(self, account_id: int) -> None:
        """L3 of that account or of everybody (0)."""
        now = await self.switches(account_id)
        if now.trading_enabled or not now.flatten or not _is_operators(now):
            why = "an operator has everything closed"
            await self._throw(account_id, Flags(trading_enabled=False, flatten=True, why=why))

    async def resume(self, account_id: int) -> None:
        """Take both switches of that account, or of the platform (0), back."""
        await self.switches(account_id)
        await self._throw(account_id, Flags(trading_enabled=True, flatten=False))

    async def switches(self, account_id: int) -> Flags | TraderAccount:
        """The switches as they are. *NoSuchAccountError* for an account the trader does not know."""
        if not account_id:
            return await self.ledger.flags()
        for account in await self.ledger.accounts():
            if account.account_id == account_id:
                return account
        raise NoSuchAccountError(f"there is no account {account_id}")

    async def prove_pause(self, account_id: int, times: Mapping[Venue, VenueTime]) -> bool:
        """
        Prove a thrown L1 or L2 without a trader: no row open, every venue past the bound. False while that is not so.

        Of an L3 nothing is proved here: nobody has looked at the positions.
        """
        now = await self.switches(account_id)
        if now.flatten or now.trading_enabled or await self._open_rows(account_id):
            return False
        seen = [await times[venue]() for venue in await self._venues(account_id) if venue in times]
        as_of = min(seen, default=await self.ledger.now())
        if as_of <= now.switched_ms + PROOF_MS:
            return False
        return await self.ledger.prove_stopped(account_id, now.switched_ms, as_of)

    async def _throw(self, account_id: int, flags: Flags) -> None:
        if account_id:
            await self.ledger.set_account_flags(account_id, flags, self.who)
            said = flags.why or "an operator allowed trading again"
            await self.ledger.notice(account_id, "operator", f"{said} ({self.who})")
        else:
            await self.ledger.set_flags(flags, self.who)
        LOG.warning(
            "switch.thrown", account=account_id, trading=flags.trading_enabled, flatten=flags.flatten, who=self.who
        )

    async def _open_rows(self, account_id: int) -> bool:
        return any(account_id in (0, row.account_id) for row in await self.ledger.open_orders())

    async def _venues(self, account_id: int) -> list[Venue]:
        accounts = await self.ledger.accounts()
        return sorted({account.venue for account in accounts if account_id in (0, account.account_id)})


def _is_operators(switches: Flags | TraderAccount) -> bool:
    """Whether only an operator can take *switches* back; the platform's always."""
    return isinstance(switches, Flags) or switches.paused_by == "operator"
