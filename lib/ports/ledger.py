"""
The database as the trader uses it: every method is one transaction, committed when it returns.

An exception in COMMIT raises *Retry* with unknown effect: callers treat it as not having happened for sending and as
possible for everything else. All writes are idempotent or compare-and-set. Lists are ordered by id.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from lib.domain.account import Pool
from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import AnalystAnswer, CycleKey, CycleRecord
from lib.domain.books import Books, EquityPoint, Fill, Transfer
from lib.domain.command import Command
from lib.domain.exchange_records import OrderRecord, SignedOrder, Verdict
from lib.domain.gates import LogFacts, PlatformFacts
from lib.domain.locks import RiskLock
from lib.domain.order import Claim, Order, OrderState
from lib.domain.platform_settings import LimitOverrides
from lib.domain.risk import AccountPlan, Sizing
from lib.domain.switches import Flags
from lib.ports.notifier import Notifier


class OrderLedger(Protocol):
    """
    Plans, orders and their events.

    An order is known by its link: where a database that lost commits gave its id to another, acts on it are *Retry*.
    """

    async def now(self) -> int:
        """The ledger's clock, epoch ms (SYSDATE on MySQL; the market clock in replay)."""
        ...

    async def plan(self, account: TraderAccount, key: CycleKey | None, t_ms: int, plan: AccountPlan) -> list[Order]:
        """
        Write the log row and the orders of *plan* as PLANNED; an account that has a plan for T keeps that one.

        Returns the rows that stand for (account, T). *key* None = no analyst call; an answer that stands for
        *key* counts on the account's budget, skipped or not.
        """
        ...

    async def plan_exit(self, account: TraderAccount, t_ms: int, plan: AccountPlan) -> Order:
        """A further reduce-only order outside the plan (guardian, flatten): next free seq of its leg, PLANNED."""
        ...

    async def size(self, order: Order, sizing: Sizing, ref_price: Decimal) -> bool:
        """Fix qty and prices of a PLANNED, never sent entry; False when it is no longer that."""
        ...

    async def claim(self, order: Order, signed: SignedOrder, holder: str) -> Claim:
        """The claim transaction, entry or exit by *order.reduce_only*; the row's state is moved accordingly."""
        ...

    async def move(self, order: Order, after: OrderState, why: str, code: int = 0) -> bool:
        """Compare-and-set from *order.state*; one event row, the log row with it. False when it was not there."""
        ...

    async def close_order(self, order: Order, verdict: Verdict) -> bool:
        """As *move* to the verdict's state, with its fills' sums."""
        ...

    async def open_orders(self, account_id: int = 0) -> list[Order]:
        """Every row that is not terminal, NEEDS_HUMAN included; of one account, or (0) of all."""
        ...

    async def order_by_link(self, order_link_id: str) -> Order | None: ...

    async def known_links(self, account_id: int, order_link_ids: Sequence[str]) -> set[str]:
        """Those of *order_link_ids* that have a row of the account's which says that the order left: no orphans."""
        ...

    async def adopt(self, account: TraderAccount, record: OrderRecord, t_ms: int) -> bool:
        """An exchange order of ours without a row, or whose row says it was never sent: now UNKNOWN, for a query."""
        ...

    async def last_entry(self, account_id: int) -> Order | None:
        """The newest entry that filled: where the guardian finds the stop that should stand."""
        ...


class BookLedger(Protocol):
    """Books kept from the exchange's own executions and transfers; equity at each T."""

    async def record_fills(self, account_id: int, fills: Sequence[Fill]) -> int:
        """Book fills not seen before, in the order given (oldest first); how many were new. Those before the books
        began are not ours and are left out."""
        ...

    async def record_transfers(self, account_id: int, transfers: Sequence[Transfer]) -> int:
        """
        Book transfers not seen before and after the books began; how many were new. The peak moves with them, and
        equity points whose wallet held them already count them as known.
        """
        ...

    async def books(self, account_id: int) -> Books: ...

    async def record_equity(self, point: EquityPoint) -> bool:
        """
        First writer wins per (account, T). True when the point tells of a difference that is news: not 0, and not the
        one of the point before; the owner hears of it through the outbox.
        """
        ...


class LimitLedger(Protocol):
    """What accounts and platform have used of their limits, and the locks that follow."""

    async def facts(self, account_id: int, t_ms: int) -> LogFacts:
        """
        Day start and peak are moved by later transfers, so that neither paying in nor out is a profit or a loss. What a
        point held before it was listed does not move it.
        """
        ...

    async def platform_facts(self, feed: str, t_ms: int, pool: Pool) -> PlatformFacts:
        """
        What the accounts of *pool* did on the UTC day of *t_ms*, and the locks that hold for them; the analyst's
        failures in a row are those before *t_ms*, of both pools.
        """
        ...

    async def limit_overrides(self) -> LimitOverrides:
        """What an operator set instead of the environment's platform limits; a row that cannot be read is named."""
        ...

    async def lock(self, account_id: int, kind: str, until_ms: int, why: str) -> None:
        """
        Entries off until then, for the account or (0) the platform. A lock of that kind that still holds stays as it
        is; one that ended is renewed. The owner hears of a new one through the outbox.
        """
        ...

    async def locks(self, account_id: int) -> list[RiskLock]:
        """The locks that hold now for the account (0: the platform), oldest first."""
        ...

    async def unlock(self, account_id: int, kind: str, who: str) -> bool:
        """
        A person ends a lock now; False when none holds. Ending `drawdown` makes the newest equity the peak, ending
        `loss_streak` begins the count again.
        """
        ...


class SwitchLedger(Protocol):
    """Who leads, who there is to trade for, and every switch that says whether they may."""

    async def hold_lease(self, holder: str, ttl_ms: int) -> int | None:
        """Take, renew or take over the trader's lease; its epoch, or None while another holds it."""
        ...

    async def release_lease(self, holder: str) -> None: ...

    async def accounts(self) -> list[TraderAccount]:
        """
        Every account with a key, whether trading or paused; one active account per person. A deleted person's is there,
        with auto-trading off, as long as it has a position or an open row: it must still be guarded; and for an hour
        after it left, for the database may have lost that row. A row that cannot be read costs its own account alone.
        """
        ...

    async def flags(self) -> Flags: ...

    async def set_flags(self, flags: Flags, who: str) -> None:
        """
        Throw the platform's switches (L2, L3) for the reason *flags.why*; *switched_ms* becomes now, *proven_ms* 0.
        Claims in progress decide first, later ones see this.
        """
        ...

    async def set_account_flags(self, account_id: int, flags: Flags, who: str) -> None:
        """
        The same for one account (L1, L3); switching on forgets why it was paused, and by whom. *who* is "user:id" for
        its owner; anybody else is an operator.
        """
        ...

    async def prove_stopped(self, account_id: int, switched_ms: int, at_ms: int) -> bool:
        """
        Remember that the account (0: the platform) is proved stopped as of *at_ms*; False when its switches were thrown
        again since *switched_ms*.
        """
        ...

    async def pause(self, account_id: int, why: str) -> None:
        """The *Pause* reaction: trading off for the account, its owner told once through the outbox."""
        ...


class CycleLedger(Protocol):
    """What the analyst was asked and answered at each T."""

    async def cycle(self, key: CycleKey) -> AnalystAnswer | None:
        """The answer recorded for *key*, or None."""
        ...

    async def record_cycle(self, record: CycleRecord) -> AnalystAnswer:
        """First writer wins: store *record* unless one is there; the answer that now stands."""
        ...

    async def analyst_failures(self, feed: str, symbol: str, before_ms: int | None = None) -> int:
        """How many of the newest cycles in a row, of those before *before_ms*, failed to get an answer."""
        ...


class Ledger(OrderLedger, BookLedger, LimitLedger, SwitchLedger, CycleLedger, Notifier, Protocol):
    """The whole database of a trader, as bootstrap opens it once; a use-case takes only the parts it uses."""


class Commands(Protocol):
    """The trader's half. What was taken and never finished is told so at the next `take`, and is not taken again."""

    async def waiting(self) -> bool:
        """Whether anything is not done yet: the cheap question before `take`."""
        ...

    async def take(self, now_ms: int) -> list[Command]:
        """Mark what waits as taken by us and return it, oldest first; two traders never take the same."""
        ...

    async def done(self, command_id: int, result: str) -> None:
        """Write what became of it, in plain words."""
        ...
