"""
An operator's acts: throw switches and resume, from a terminal or the web; and, from a terminal with keys, prove a pause
without a trader.

A switch is a row, so it holds whether or not a trader runs; positions under L3 are closed by a running trader alone. A
pause can be proved here too, by the same proof as the trader's: with keys that open the accounts. Resuming is its own
act and takes back exactly the switches it names. An operator's stop of an account is an operator's to end, so it is
thrown over the owner's own pause too, which stands again once the operator resumes. The name of who threw the
platform's switch stands beside it, and the owner of an account is told who threw the account's. Account 0 is the
platform: all accounts.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from lib import log
from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.errors import Retry
from lib.domain.events import Event, EventKind
from lib.domain.order import OrderState
from lib.domain.reason import Reason
from lib.domain.switches import Flags, waits_for_sweep
from lib.ports.ledger import Ledger
from lib.ports.operators import SwitchBoard, Switched
from lib.trading.context import on_each_symbol
from lib.trading.kill_switch.proof import PROOF_MS, Proof, Prover

LOG = log.get("trading.operator")


class NoSuchAccountError(ValueError):
    """The trader knows no such account."""


@dataclass(frozen=True, slots=True)
class Switchman:
    """One operator at the switches; *who* as in "cli:name@host" or "operator:7"."""

    board: SwitchBoard
    who: str

    async def stop(self, account_id: int) -> None:
        """L1 of that account, L2 of all accounts (0); a close under way, also one thrown meanwhile, goes on."""
        now = await self.switches(account_id)
        if now.trading_enabled or not _is_operators(now):
            await self._throw(account_id, Flags(False, flatten=False, why=codes.STOPPED_BY_OPERATOR()))

    async def flatten(self, account_id: int) -> None:
        """L3 of that account or of all accounts (0)."""
        now = await self.switches(account_id)
        if now.trading_enabled or not now.flatten or not _is_operators(now):
            why = codes.CLOSED_BY_OPERATOR()
            await self._throw(account_id, Flags(trading_enabled=False, flatten=True, why=why))

    async def resume(self, account_id: int, *, unproved: bool = False) -> bool:
        """
        Take both switches of that account, or of the platform (0), back; False when what the owner of the account has
        stopped stays stopped.

        *Retry* where a restore threw the platform's and its sweep has not ended, unless *unproved* is meant.
        """
        now = await self.switches(account_id)
        if isinstance(now, Flags) and waits_for_sweep(now) and not unproved:
            raise Retry(codes.RESTORE_NOT_PROVED())
        await self._throw(account_id, Flags(trading_enabled=True, flatten=False))
        return (await self.switches(account_id)).trading_enabled

    async def switches(self, account_id: int) -> Flags | Switched:
        """The switches of that account, or of the platform (0). *NoSuchAccountError* for an unknown account."""
        return await self.account(account_id) if account_id else await self.board.flags()

    async def account(self, account_id: int) -> Switched:
        """The account; *NoSuchAccountError* when there is none."""
        for account in await self.board.accounts():
            if account.account_id == account_id:
                return account
        raise NoSuchAccountError(f"there is no account {account_id}")

    async def unlock(self, account_id: int, kind: str) -> bool:
        """End that risk lock of the account, or of the platform (0); False when it does not hold."""
        if account_id:
            await self.account(account_id)
        return await self.board.unlock(account_id, kind, self.who)

    async def _throw(self, account_id: int, flags: Flags) -> None:
        if account_id:
            await self.board.set_account_flags(account_id, flags, self.who)
            why = flags.why or await self._allowed(account_id)
            said = codes.BY_OPERATOR(why=why, who=self.who)
            await self.board.notice(account_id, Event(EventKind.OPERATOR, said))
        else:
            await self.board.set_flags(flags, self.who)
        LOG.warning(
            "switch.thrown", account=account_id, trading=flags.trading_enabled, flatten=flags.flatten, who=self.who
        )

    async def _allowed(self, account_id: int) -> Reason:
        goes_on = (await self.account(account_id)).trading_enabled
        return codes.ALLOWED_BY_OPERATOR() if goes_on else codes.OWNERS_STOP_STAYS()


@dataclass(frozen=True, slots=True)
class Operator(Switchman):
    """An operator with the whole ledger at hand, who can prove a pause too."""

    board: Ledger

    async def prove_pause(self, account_id: int, prover: Prover) -> Proof:
        """
        Bring the open rows of a thrown L1 or L2 forward and prove it, without a trader. *Retry*: a venue is away.

        Of an L3 nothing is proved here: nobody has looked at the positions.
        """
        accounts = [one for one in await self.board.accounts() if account_id in (0, one.account_id)]
        if account_id and not accounts:
            raise NoSuchAccountError(f"there is no account {account_id}")
        platform = await self.board.flags()
        prover.search(platform)
        now = accounts[0] if account_id else platform
        if now.flatten or now.trading_enabled:
            return Proof.WAITS
        await self._resolve_rows(account_id, accounts, prover)
        seen_at = await prover.seen(accounts, past=now.switched_ms + PROOF_MS)
        return await prover.prove(account_id, now, accounts, seen_at)

    async def _resolve_rows(self, account_id: int, accounts: Sequence[TraderAccount], prover: Prover) -> None:
        """Planned exits are left alone: they may still be sent, and only who leads can say that nobody will."""
        found = await self.board.open_orders(account_id)
        rows = [row for row in found if row.is_entry or row.state is not OrderState.PLANNED]
        mine = ((one, [row for row in rows if row.slot == one.slot]) for one in on_each_symbol(accounts))
        await asyncio.gather(*(prover.resolve_rows(one, its) for one, its in mine))


def _is_operators(switches: Flags | Switched) -> bool:
    """Whether only an operator can take *switches* back; the platform's always."""
    return isinstance(switches, Flags) or switches.paused_by == "operator"
