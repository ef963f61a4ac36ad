"""
The rows of an in-memory ledger, and `Accounts` over them.

Rows are frozen and live in dicts, so a snapshot is a copy of the dicts. Every table a ledger needs is here; nothing is
locked, because one event loop runs one step at a time.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from typing import Any

from lib.clock import Clock
from lib.domain import order_rules, switches
from lib.domain import reason_codes as codes
from lib.domain.account import AccountSettings, Doubt, Slot, Venue
from lib.domain.account_records import NewAccount
from lib.domain.analyst_call import AnalystAnswer, AskedFor, CycleKey, CycleRecord, ModelCall
from lib.domain.audit_chain import OrderEvent
from lib.domain.books import OF_SYMBOL, EquityPoint, Fill, RunningBooks, Transfer
from lib.domain.events import Event, EventKind
from lib.domain.locks import RiskLock
from lib.domain.order import TERMINAL, Order
from lib.domain.real_money import RealFacts
from lib.domain.reason import NOTHING, Reason
from lib.domain.risk import Clamp, Outcome
from lib.domain.stops import StopMove
from lib.domain.switches import Flags
from lib.domain.trade_log import Summary
from lib.domain.trail import Note
from lib.domain.venues import CAPABILITIES
from lib.domain.worker import LeaseHeld, Loan, Worker
from lib.ports.people import Accounts, EvidenceLacking

NOTHING_HELD: Mapping[str, Any] = dict.fromkeys(OF_SYMBOL, Decimal(0)) | {"last_fill_ms": 0}
AS_PLANNED = frozenset(
    {EventKind.ENTRY, EventKind.EXIT, EventKind.STOP, EventKind.REPAIRED, EventKind.MOVED, EventKind.PROVED}
)
"""Kinds of messages that most worlds of trading are full of."""


@dataclass(frozen=True, slots=True)
class UserRow:
    email: str
    settings: AccountSettings = field(default_factory=AccountSettings)
    settings_version: int = 1
    auto_trade: bool = False
    auto_since: int = 0
    deleted: bool = False
    deleted_ms: int = 0
    is_guest: bool = False
    locale: str = "ko"


@dataclass(frozen=True, slots=True)
class SymbolRow:
    """One symbol of an account, with its part of the books (`lib.domain.books.OF_SYMBOL`)."""

    symbol_no: int
    traded: bool = True
    changed_ms: int = 0
    held: Mapping[str, Any] = field(default_factory=lambda: NOTHING_HELD)
    liquidation: Decimal | None = None

    @property
    def qty(self) -> Decimal:
        return Decimal(self.held["position_qty"])


@dataclass(frozen=True, slots=True)
class AccountRow:
    user_id: int
    venue: Venue
    feed: str
    uid: str
    symbol: str
    """The one that is shown first."""
    sealed_key: str
    key_version: int
    books: RunningBooks
    """What of them is the account's; the rest is in *symbols*."""
    symbols: Mapping[str, SymbolRow]
    active: bool = True
    trading_enabled: bool = True
    flatten: bool = False
    pause_reason: Reason = NOTHING
    paused_by: str = ""
    owner_stop: str = ""
    switched_ms: int = 0
    proven_ms: int = 0
    doubts: tuple[Doubt, ...] = ()

    def books_on(self, symbol: str) -> RunningBooks:
        """The books, seen on that symbol."""
        row = self.symbols.get(symbol)
        return replace(self.books, **(row.held if row else NOTHING_HELD))

    def on(self, symbol: str, row: SymbolRow) -> "AccountRow":
        """With *row* in the place of that symbol's."""
        return replace(self, symbols={**self.symbols, symbol: row})

    def thrown(self, at: int) -> "AccountRow":
        """A switch was thrown: dated, and proved no more."""
        return replace(self, switched_ms=max(at, self.switched_ms + 1), proven_ms=0)


@dataclass(frozen=True, slots=True)
class LockRow:
    """A risk lock and, once a person ended it, who and when."""

    lock: RiskLock
    ended_by: str = ""
    ended_ms: int = 0


@dataclass(frozen=True, slots=True)
class LogRow:
    planned: Outcome
    reason: Reason
    summary: Summary
    clamps: tuple[Clamp, ...] = ()
    answer: AnalystAnswer | None = None
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class LeaseRow:
    holder: str = ""
    epoch: int = 0
    expires_ms: int = 0


@dataclass(slots=True)
class Store:
    """Everything; ids count up from 1 and nothing is ever deleted."""

    flags: Flags = field(default_factory=lambda: Flags(True, False))
    lease: LeaseRow = field(default_factory=LeaseRow)
    workers: dict[str, tuple[Worker, int]] = field(default_factory=dict)
    """With when each was heard of."""
    leases: dict[int, LeaseHeld] = field(default_factory=dict)
    """Of accounts."""
    loans: list[Loan] = field(default_factory=list)
    users: dict[int, UserRow] = field(default_factory=dict)
    accounts: dict[int, AccountRow] = field(default_factory=dict)
    symbols: dict[str, int] = field(default_factory=dict)
    cycles: dict[CycleKey, AnalystAnswer] = field(default_factory=dict)
    asked_for: dict[CycleKey, AskedFor] = field(default_factory=dict)
    records: dict[CycleKey, CycleRecord] = field(default_factory=dict)
    calls: dict[tuple[CycleKey, str, int], tuple[ModelCall, int]] = field(default_factory=dict)
    """By cycle, asker and place in the chain; each with the people who share it."""
    orders: dict[int, Order] = field(default_factory=dict)
    by_link: dict[str, int] = field(default_factory=dict)
    events: dict[int, tuple[tuple[OrderEvent, str], ...]] = field(default_factory=dict)
    logs: dict[tuple[int, str, int], LogRow] = field(default_factory=dict)
    """By account, symbol and T."""
    decided_by: dict[tuple[int, str, int], CycleKey] = field(default_factory=dict)
    """The cycle behind each log that has one."""
    stop_moves: dict[tuple[str, int], tuple[Slot, StopMove]] = field(default_factory=dict)
    """By entry and T; each with its account and symbol."""
    fills: dict[tuple[int, str], Fill] = field(default_factory=dict)
    transfers: dict[tuple[int, str], Transfer] = field(default_factory=dict)
    equity: dict[tuple[int, int], EquityPoint] = field(default_factory=dict)
    counted: dict[tuple[int, int], Decimal] = field(default_factory=dict)
    """The transfers our books had counted when that equity point was written."""
    locks: dict[tuple[int, int, str], LockRow] = field(default_factory=dict)
    """By (account or 0 = platform, UTC day or 0, kind)."""
    told: set[str] = field(default_factory=set)
    """What the messages in the outbox are about."""
    events_told: list[tuple[int, Event]] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    """Platform settings, by the row's whole name."""
    demo_without: set[int] = field(default_factory=set)
    """Accounts whose owner does without evidence in demo trading."""
    real: dict[int, RealFacts] = field(default_factory=dict)
    """What the gates before real money are judged by, by account; none = every gate closed."""

    @property
    def outbox(self) -> tuple[tuple[int, Reason], ...]:
        """What owners were told of trouble: every message but those of an order that went as planned."""
        return tuple((number, event.why) for number, event in self.events_told if event.kind not in AS_PLANNED)

    def number_of(self, symbol: str) -> int:
        """The number that stands for *symbol*, given at first use."""
        return self.symbols.setdefault(symbol, len(self.symbols) + 1)

    def copy(self) -> "Store":
        """As it is now; later changes to either do not show in the other."""
        return Store(**{item.name: copy(getattr(self, item.name)) for item in fields(self)})

    def of_slot(self, slot: Slot) -> list[Order]:
        """The orders of that symbol of the account, by id."""
        return [order for order in self.orders.values() if order.slot == slot]

    def of_account(self, account_id: int) -> list[Order]:
        """The account's orders, by id."""
        return [order for order in self.orders.values() if order.account_id == account_id]

    def in_use(self, account_id: int) -> bool:
        """Whether something of ours may be open on the account."""
        return any(self.is_used((account_id, symbol)) for symbol in self.accounts[account_id].symbols)

    def is_used(self, slot: Slot) -> bool:
        """Whether something of ours may be open there."""
        rows, books = self.of_slot(slot), self.accounts[slot[0]].books_on(slot[1])
        booked = {fill.order_link_id for (number, _), fill in self.fills.items() if number == slot[0]}
        unbooked = any(order_rules.is_unbooked(order, booked, books.last_fill_ms) for order in rows)
        return unbooked or books.position_qty != 0 or any(order.state not in TERMINAL for order in rows)


class MemoryAccounts(Accounts):
    """`lib.ports.people.Accounts` and the switches, over a *Store*; *clock* dates the switches."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self._clock = clock

    def add_user(self, email: str, password_hash: str, *, is_demo: bool = False) -> int:
        if self.user_id(email) is not None:
            raise ValueError("this e-mail address is taken")
        user_id = len(self.store.users) + 1
        self.store.users[user_id] = UserRow(email.strip().lower())
        return user_id

    def user_id(self, email: str) -> int | None:
        wanted = email.strip().lower()
        return next((user_id for user_id, user in self.store.users.items() if user.email == wanted), None)

    def add_account(self, new: NewAccount) -> int:
        self._user(new.user_id)
        rows = self.store.accounts
        if any((row.venue, row.feed, row.uid) == (new.venue, new.feed, new.uid) for row in rows.values()):
            raise ValueError("this exchange account is registered already")
        mine = [number for number, row in rows.items() if row.user_id == new.user_id and row.active]
        if any(self.store.in_use(number) for number in mine):
            raise ValueError("the account in use still has an open order or position: close it first")
        for number in mine:
            rows[number] = replace(rows[number], active=False)
        account_id = len(rows) + 1
        rows[account_id] = AccountRow(
            user_id=new.user_id,
            venue=new.venue,
            feed=new.feed,
            uid=new.uid,
            symbol=new.symbol,
            symbols={new.symbol: SymbolRow(self.store.number_of(new.symbol), changed_ms=new.opened_ms)},
            sealed_key=new.sealed_key,
            key_version=new.key_version,
            books=RunningBooks(new.start_balance, opened_ms=new.opened_ms, peak_equity=new.start_balance),
            doubts=new.doubts,
        )
        theirs = (row for row in rows.values() if row.user_id == new.user_id and not row.trading_enabled)
        if stopped := [row for row in theirs if row.paused_by == switches.OPERATOR]:
            stop = replace(rows[account_id], trading_enabled=False, paused_by=switches.OPERATOR)
            rows[account_id] = replace(stop, pause_reason=stopped[0].pause_reason, switched_ms=new.opened_ms)
        return account_id

    def chosen(self, user_id: int) -> tuple[AccountSettings, int] | None:
        user = self.store.users.get(user_id)
        return None if user is None or user.deleted else (user.settings, user.settings_version)

    def change_settings(
        self, user_id: int, settings: AccountSettings, version: int | None = None, note: Note | None = None
    ) -> bool:
        user = self._user(user_id)
        if user.settings == settings:
            return True
        if version not in (None, user.settings_version):
            return False
        changed = replace(user, settings=settings, settings_version=user.settings_version + 1)
        self.store.users[user_id] = changed
        return True

    def set_auto_trade(self, user_id: int, on: bool, now_ms: int, note: Note | None = None) -> None:
        user = self._user(user_id)
        if on and not user.auto_trade and self._waits_for_paper(user_id):
            raise EvidenceLacking(codes.DEMO_STRETCH_LACKING())
        since = now_ms if on and not user.auto_trade else user.auto_since
        self.store.users[user_id] = replace(user, auto_trade=on, auto_since=since)
        if on != user.auto_trade:
            self.throw_of_person(user_id, now_ms)

    def _waits_for_paper(self, user_id: int) -> bool:
        mine = [(number, row) for number, row in self.store.accounts.items() if row.user_id == user_id and row.active]
        return any(CAPABILITIES[row.venue].waits_for_paper and n not in self.store.demo_without for n, row in mine)

    def choose_symbols(self, user_id: int, symbols: Sequence[str], now_ms: int, note: Note | None = None) -> bool:
        if not symbols:
            raise ValueError("an account trades one symbol at least")
        self._user(user_id)
        rows = self.store.accounts.items()
        number = next((number for number, row in rows if row.user_id == user_id and row.active), None)
        if number is None:
            return False
        row = self.store.accounts[number]
        for symbol in dict.fromkeys((*row.symbols, *symbols)):
            known, traded = row.symbols.get(symbol), symbol in symbols
            if known is None:
                row = row.on(symbol, SymbolRow(self.store.number_of(symbol), changed_ms=now_ms))
            elif known.traded != traded:
                row = row.on(symbol, replace(known, traded=traded, changed_ms=now_ms))
        first = row.symbol if row.symbol in symbols else symbols[0]
        self.store.accounts[number] = replace(row, symbol=first)
        return True

    def throw_of_person(self, user_id: int, at: int) -> None:
        """Date a switch of the person's own on their account."""
        for number, row in self.store.accounts.items():
            if row.user_id == user_id and row.active:
                self.store.accounts[number] = row.thrown(at)

    def set_flags(self, flags: Flags, changed_by: str) -> None:
        at = max(self._clock.now_ms(), self.store.flags.switched_ms + 1)
        flatten = self.store.flags.flatten if switches.keeps_flatten(flags) else flags.flatten
        why = switches.why_thrown(self.store.flags, flags)
        kept = replace(flags, flatten=flatten, why=why, restored_ms=self.store.flags.restored_ms)
        self.store.flags = replace(kept, switched_ms=at, proven_ms=0)

    def set_account_flags(self, account_id: int, flags: Flags, who: str = "user:") -> None:
        row = self.store.accounts[account_id]
        stop = switches.AccountStop(row.trading_enabled, row.flatten, row.paused_by, row.owner_stop, row.pause_reason)
        left = switches.after_throw(stop, flags, who)
        changed = replace(
            row,
            trading_enabled=left.trading_enabled,
            flatten=left.flatten,
            paused_by=left.paused_by,
            owner_stop=left.owner_stop,
            pause_reason=left.why,
        )
        self.store.accounts[account_id] = changed.thrown(self._clock.now_ms())

    def _user(self, user_id: int) -> UserRow:
        user = self.store.users.get(user_id)
        if user is None or user.deleted:
            raise ValueError("there is no such person")
        return user
