"""
The database as the trader uses it: every method is one transaction, committed when it returns.

Methods of several callers may share a commit; each is then still whole or nothing, and fails by itself.
An exception in COMMIT raises *Retry* with unknown effect: callers treat the transaction as not committed for sending,
and as possibly committed for everything else. All writes are idempotent or compare-and-set. Lists are ordered by id.
"""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Protocol

from lib.domain.account import Pool, Slot
from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import AnalystAnswer, CycleKey, CycleRecord
from lib.domain.books import Books, EquityPoint, Fill, Transfer
from lib.domain.command import Command
from lib.domain.exchange_records import OrderRecord, SignedOrder, Verdict
from lib.domain.gates import LogFacts, PlatformFacts
from lib.domain.locks import RiskLock
from lib.domain.opinions import Opinion
from lib.domain.order import Claim, Order, OrderState
from lib.domain.platform_settings import LimitOverrides
from lib.domain.real_money import RealFacts
from lib.domain.reason import Reason
from lib.domain.risk import AccountPlan, Sizing
from lib.domain.stops import StopMove
from lib.domain.switches import Flags
from lib.ports.notifier import Notifier


class OrderLedger(Protocol):
    """
    Plans, orders and their events.

    An order is known by its order_link_id: where a database that lost commits gave the row's id to another order, every
    write to the row is *Retry*.
    """

    async def now(self) -> int:
        """The ledger's clock, epoch ms (SYSDATE on MySQL; the market clock in replay)."""
        ...

    async def plan(self, account: TraderAccount, key: CycleKey | None, t_ms: int, plan: AccountPlan) -> list[Order]:
        """
        Write the log row and the orders of *plan* as PLANNED; a symbol of an account that has a plan for T keeps the
        plan it has. An entry that no longer fits beside the account's other symbols (`risk.fitted`) is left out.

        Returns the rows that stand for (account, symbol, T). *key* None = no analyst call; an answer that stands for
        *key* counts on the account's budget, skipped or not.
        """
        ...

    async def plan_exit(self, account: TraderAccount, t_ms: int, plan: AccountPlan) -> Order:
        """A further reduce-only order outside the plan (guardian, flatten): next free seq of its leg, PLANNED."""
        ...

    async def size(self, order: Order, sizing: Sizing, ref_price: Decimal) -> bool:
        """
        Fix qty and prices of a PLANNED, never sent entry; False when the row is no longer PLANNED or was sent, or does
        not fit under *sizing*'s ceiling any more.
        """
        ...

    async def claim(self, order: Order, signed: SignedOrder, holder: str) -> Claim:
        """The claim transaction, entry or exit by *order.reduce_only*; the row's state is moved accordingly."""
        ...

    async def move(self, order: Order, after: OrderState, why: Reason, code: int = 0) -> Order | None:
        """
        Compare-and-set from *order.state*, with one event row and the log row. The row as it is then stored, read in
        the same transaction; None when the row had left that state.
        """
        ...

    async def close_order(self, order: Order, verdict: Verdict) -> Order | None:
        """As *move* to the verdict's state, with the sums of the order's fills."""
        ...

    async def open_orders(self, account_id: int = 0) -> list[Order]:
        """Every row that is not terminal, NEEDS_HUMAN included; of *account_id*, or (0) of all accounts."""
        ...

    async def order_by_link(self, order_link_id: str) -> Order | None: ...

    async def sent_links(self, order_link_ids: Sequence[str]) -> set[str]:
        """Those of *order_link_ids* whose rows say that the order was sent at least once, of all accounts."""
        ...

    async def known_links(self, account_id: int, order_link_ids: Sequence[str]) -> set[str]:
        """Those of *order_link_ids* that are no orphan orders: the account has a row that says the order was sent."""
        ...

    async def adopt(self, account: TraderAccount, record: OrderRecord, t_ms: int) -> bool:
        """Give an orphan order a row in UNKNOWN, for a query; a row that says the order was never sent becomes that."""
        ...

    async def last_entry(self, slot: Slot) -> Order | None:
        """The newest entry there that filled: where the guardian finds the stop that should stand."""
        ...

    async def stop_moves(self, entry: Order) -> list[StopMove]:
        """The committed moves of the stop of *entry*'s position, oldest first; `plan` commits them."""
        ...

    async def move_stop(self, entry: Order, t_ms: int, price: Decimal) -> None:
        """Commit a move of the stop of *entry*'s position outside a plan; one that stands for *t_ms* stays as it is."""
        ...

    async def claim_stop(self, entry: Order, known: Decimal, standing: Decimal, at_ms: int) -> Decimal:
        """
        The stop to call for now, kept as called with *at_ms*, the venue's time the call will be signed with; 0 = no
        call, as another may still arrive. *known* is the tightest the caller knows of, *standing* the one that stands.
        """
        ...

    async def settle_stops(self, entry: Order, standing: Decimal, at_ms: int) -> bool:
        """
        Settle the moves that the *standing* stop is as near as, and those of other entries of the account in the same
        symbol; whether one of *entry*'s is still to be put in force.
        """
        ...

    async def moved_slots(self) -> set[Slot]:
        """Where a move is still to be put in force."""
        ...


class BookLedger(Protocol):
    """Books kept from the exchange's own executions and transfers; equity at each T."""

    async def record_fills(self, account_id: int, fills: Sequence[Fill]) -> int:
        """
        Book fills not seen before, in the order given (oldest first), each in its symbol; how many were new. Fills
        before the books began are not ours and are left out.
        """
        ...

    async def record_transfers(self, account_id: int, transfers: Sequence[Transfer]) -> int:
        """
        Book the transfers since the books began that were not seen before; how many were new. The peak moves with each
        of them, and an equity point whose wallet held a transfer already counts that transfer as known.
        """
        ...

    async def books(self, slot: Slot) -> Books:
        """The account's books, with the position of that symbol and the time of its newest execution."""
        ...

    async def note_liquidation(self, slot: Slot, qty: Decimal, price: Decimal) -> bool:
        """
        Keep the *price* at which the venue says it would liquidate a position of *qty* (0 = at none), until a fill
        moves the position; False, and nothing kept, when the books hold another quantity.
        """
        ...

    async def record_equity(self, point: EquityPoint) -> bool:
        """
        First writer wins per (account, T). True when the point's difference is news: not 0, and not the difference of
        the point before; the owner hears of a new difference through the outbox.
        """
        ...


class LimitLedger(Protocol):
    """The use that accounts and platform have made of their limits, and the locks that follow."""

    async def facts(self, slot: Slot, t_ms: int) -> LogFacts:
        """
        The account's figures for its gates at T, as seen from one of its symbols. Day start and peak are moved
        by later transfers, so that neither a deposit nor a withdrawal is a profit or a loss. A transfer that a
        point's wallet held before the transfer was listed does not move that point.
        """
        ...

    async def platform_facts(self, feed: str, t_ms: int, pool: Pool) -> PlatformFacts:
        """
        The sums over the accounts of *pool* on the UTC day of *t_ms*, and the platform's locks that hold for the pool;
        the analyst's failures in a row are those before *t_ms*, of both pools.
        """
        ...

    async def limit_overrides(self) -> LimitOverrides:
        """The platform limits an operator set over the environment's; a row that cannot be read is named."""
        ...

    async def real_money(self, slot: Slot) -> RealFacts:
        """What the gates before an entry there with real money are judged by, of an account on a venue that has it."""
        ...

    async def lock(self, account_id: int, kind: str, until_ms: int, why: Reason) -> None:
        """
        Entries off until *until_ms*, for the account or (0) the platform. A lock of *kind* that still holds stays as it
        is; a lock that ended is renewed. The owner hears of a new lock through the outbox.
        """
        ...

    async def locks(self, account_id: int) -> list[RiskLock]:
        """The locks that hold now for the account (0: the platform), oldest first."""
        ...

    async def unlock(self, account_id: int, kind: str, who: str) -> bool:
        """
        End the lock of *kind* now, by the person *who*; False when no such lock holds. Ending `drawdown` makes the
        newest equity the peak, ending `loss_streak` begins the count again.
        """
        ...


class SwitchLedger(Protocol):
    """The trader's lease, the roster of accounts, and every switch that says whether an account may trade."""

    async def hold_lease(self, holder: str, ttl_ms: int) -> int | None:
        """
        Take, renew or take over the trader's lease; the lease's epoch, or None while another trader holds the lease.
        """
        ...

    async def release_lease(self, holder: str) -> None: ...

    async def accounts(self) -> list[TraderAccount]:
        """
        Every account with a key, whether trading or paused, once, with its symbols: those it trades, those where a
        position or an open row must be guarded, and those its owner took off within the hour. One active account per
        person. A deleted person's account
        is listed, with auto-trading off, as long as a position or an open row must be guarded, and for an hour longer:
        the database may have lost that row. An account row that cannot be read leaves out its own account alone.
        """
        ...

    async def flags(self) -> Flags: ...

    async def set_flags(self, flags: Flags, who: str) -> None:
        """
        Throw the platform's switches (L2, L3) for the reason *flags.why*; *switched_ms* becomes now, *proven_ms* 0.
        Claims in progress commit first, later claims read these switches. A stop (neither switch set) leaves a flatten
        as it stands: only switching on takes it back.
        """
        ...

    async def set_account_flags(self, account_id: int, flags: Flags, who: str) -> None:
        """
        Throw the switches of one account (L1, L3), as `set_flags` does; switching on clears the reason of the pause and
        who paused. *who* is "user:id" for the account's owner; any other name is an operator's, who takes no stop of
        the owner's back: the owner's stands again once the operator's ends.
        """
        ...

    async def prove_stopped(self, account_id: int, switched_ms: int, at_ms: int) -> bool:
        """
        Store that the account (0: the platform) is proved stopped as of *at_ms*; False when its switches were thrown
        again since *switched_ms*.
        """
        ...

    async def pause(self, account_id: int, why: Reason) -> None:
        """The *Pause* reaction: trading off for the account, its owner told once through the outbox."""
        ...


class Spending(Protocol):
    """What calls of models cost so far."""

    async def model_spent(self, owner_id: int, name: str, t_ms: int) -> Decimal:
        """
        What calls of that model, which *owner_id* pays (0 = the operator), cost on the UTC day of *t_ms*, USD; what
        shadows asked is left out.
        """
        ...

    async def person_spent(self, user_id: int, t_ms: int) -> Decimal:
        """
        What the person's part of calls that the operator pays cost on the UTC day of *t_ms*, USD: of each call behind
        a decision of theirs its cost ÷ the people who share it.
        """
        ...


class CycleLedger(Spending, Protocol):
    """The analyst's prompts and answers, by T."""

    async def cycle(self, key: CycleKey) -> AnalystAnswer | None:
        """The answer recorded for *key*, or None."""
        ...

    async def record_cycle(self, record: CycleRecord) -> AnalystAnswer:
        """
        Store *record* unless the key has a record (first writer wins); the answer that now stands. Its calls were made
        either way, and are kept once for each asker.
        """
        ...

    async def opinions(self, feed: str, symbol: str, asked_sha256: str, before_ms: int) -> list[Opinion]:
        """
        The newest opinions before *before_ms* that meant a position, of what was asked so of *symbol*: one a T, newest
        first, of the last `MOST_CALLS` calls.
        """
        ...

    async def analyst_failures(self, feed: str, symbol: str, before_ms: int | None = None) -> int:
        """How many cycles in a row, the newest before *before_ms* and back, failed to get an answer."""
        ...


class Ledger(OrderLedger, BookLedger, LimitLedger, SwitchLedger, CycleLedger, Notifier, Protocol):
    """The whole database of a trader, as bootstrap opens it once; a use-case takes only the parts it uses."""


class Commands(Protocol):
    """
    The trader's half of the `commands` table. A command that was taken and never finished is marked so at the next
    `take`, and is not taken again.
    """

    async def waiting(self) -> bool:
        """Whether any command is not done yet: the cheap question before `take`."""
        ...

    async def take(self, now_ms: int, account_ids: Collection[int] | None = None) -> list[Command]:
        """
        Mark the waiting commands (of *account_ids*, when given) as taken by us and return them, oldest first; two
        traders never take one command.
        """
        ...

    async def done(self, command_id: int, result: Reason) -> None:
        """Write the command's *result*."""
        ...
