"""
A deterministic exchange for linear perpetuals: the events between two moments, of every account, in time order.

Pure: no I/O, no clock (times are handed in), no randomness (ids and keys are hashes). Invariants: the same accounts,
requests and times give the same rows, however the advancing was cut up; an engine stopped, exported, imported and
advanced ends in the state of one that ran on; cash is the sum of the transaction log. Time stands still between
`advance` calls: requests happen at `last_advanced_ms`. Portfolio margin, hedge positions, other coins and inverse
contracts are deliberately not simulated.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import msgspec

from lib.domain.candle import MINUTE_MS
from lib.domain.fill_prices import EngineConfig
from lib.domain.funding import FUNDING_MS, funding_rate
from lib.domain.instrument import Instrument
from lib.simulator.engine.accounts import Account, ApiKey, Born, History
from lib.simulator.engine.books import Books, CashMove
from lib.simulator.engine.charges import BORN_WITH, USDT, FeeTerms
from lib.simulator.engine.dealing import Dealing, Pending
from lib.simulator.engine.faults import Faults
from lib.simulator.engine.funding import pay_funding
from lib.simulator.engine.matching import Matching
from lib.simulator.engine.orders import (
    ClosedPnl,
    Execution,
    Listener,
    OrderRecord,
    Row,
    Trail,
    Transaction,
    record_of,
    row_of,
)
from lib.simulator.engine.trigger_range import TriggerRange, trigger_range
from lib.simulator.market.market import Market, Path

FIRST_UID = 1_000_001
Event = tuple[int, tuple[Any, ...], Callable[[], None]]
"""(at ms, rank among events of the same ms, the event's effect)"""


class Engine:
    """The exchange: `books` is its state, `dealing` the requests it takes, `advance` lets time pass."""

    def __init__(self, market: Market, instruments: Mapping[str, Instrument], config: EngineConfig) -> None:
        self.books = Books(market, instruments, config)
        self.config = config
        self._pending: list[Pending] = []
        self.dealing = Dealing(self.books, self._pending)
        self._matching = Matching(self.books)
        self._ranges: dict[str, TriggerRange] = {}
        self._keys: dict[str, tuple[int, ApiKey]] = {}

    # --- wiring -------------------------------------------------------------------------------------------------------

    @property
    def market(self) -> Market:
        return self.books.market

    @property
    def accounts(self) -> Mapping[int, Account]:
        """All accounts by uid, to be read only."""
        return self.books.accounts

    @property
    def faults(self) -> Faults:
        return self.books.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self.books.faults = faults

    @property
    def on_accept(self) -> Callable[[OrderRecord], None] | None:
        """Called at the instant an order is accepted."""
        return self.books.on_accept

    @on_accept.setter
    def on_accept(self, hook: Callable[[OrderRecord], None] | None) -> None:
        self.books.on_accept = hook

    @property
    def on_stop(self) -> Callable[[int, str, Decimal], None] | None:
        """Called with (uid, symbol, stop) at the instant a trading-stop is accepted, before it stands."""
        return self.books.on_stop

    @on_stop.setter
    def on_stop(self, hook: Callable[[int, str, Decimal], None] | None) -> None:
        self.books.on_stop = hook

    @property
    def on_trail(self) -> Callable[[int, str, Trail], None] | None:
        """Called with (uid, symbol, trail) at the instant a trailing stop is accepted, before it stands."""
        return self.books.on_trail

    @on_trail.setter
    def on_trail(self, hook: Callable[[int, str, Trail], None] | None) -> None:
        self.books.on_trail = hook

    def listen(self, listener: Listener) -> None:
        """Call *listener* with (topic, uid, subject) for every change; topics order, execution, position, wallet."""
        self.books.listener = listener

    @property
    def last_advanced_ms(self) -> int:
        """The engine's present; 0 before the first `advance`, which then starts there. Set it when restoring."""
        return self.books.now

    @last_advanced_ms.setter
    def last_advanced_ms(self, at_ms: int) -> None:
        self.books.now = at_ms

    # --- time ---------------------------------------------------------------------------------------------------------

    def advance(self, now_ms: int) -> None:
        """Run every event after the last advance and up to *now_ms*; an earlier *now_ms* is ignored."""
        books = self.books
        if books.now == 0:
            books.now = now_ms
        while books.now < now_ms:
            start = books.now + 1
            if self._nothing_ahead():
                break
            end = min(now_ms + 1, start - start % MINUTE_MS + MINUTE_MS)
            self._run(start, end)
            books.now = end - 1
        books.now = max(books.now, now_ms)
        self._ask_prices()

    def _ask_prices(self) -> None:
        """Ask every price once, so that a live market knows which prices were seen."""
        for symbol in self.books.instruments:
            self.books.price(symbol)

    def _nothing_ahead(self) -> bool:
        """True when no order waits and no price could trigger anything."""
        if self._pending:
            return False
        return all(self._range(symbol).is_idle for symbol in self.books.instruments)

    def _range(self, symbol: str) -> TriggerRange:
        if symbol in self.books.stale_ranges:
            self._ranges[symbol] = trigger_range(self.books, symbol)
            self.books.stale_ranges.discard(symbol)
        return self._ranges[symbol]

    def _run(self, start: int, end: int) -> None:
        """All events of [start, end), which lies within one minute."""
        minute = start - start % MINUTE_MS
        if start == minute and minute % FUNDING_MS == 0:
            self.books.now = start
            pay_funding(self.books, minute)
        due = self._due(end)
        symbols = self._awake(minute, due)
        if not symbols:
            return
        prints = self._prints(symbols, minute, start, end)
        for at, _, event in sorted([*prints, *due], key=lambda item: item[:2]):
            self.books.now = at
            event()

    def _due(self, end: int) -> list[Event]:
        """The accepted orders whose first match falls before *end*, as events."""
        found = []
        while self._pending and self._pending[0][0] < end:
            at, uid, seq, order_id = heapq.heappop(self._pending)
            found.append((at, (1, uid, seq), self._first_match(uid, order_id)))
        return found

    def _first_match(self, uid: int, order_id: str) -> Callable[[], None]:
        def match() -> None:
            account = self.books.account(uid)
            order = account.orders.get(order_id)
            if order is not None and 0 < order.match_at <= self.books.now:  # an amended one waits again
                self._matching.first_match(account, order)

        return match

    def _awake(self, minute: int, due: list[Event]) -> list[str]:
        """The symbols whose prints of *minute* have to be walked one by one."""
        if due:
            return list(self.books.instruments)
        return [symbol for symbol in self.books.instruments if self._may_wake(symbol, minute)]

    def _may_wake(self, symbol: str, minute: int) -> bool:
        range_ = self._range(symbol)
        if range_.is_idle:
            return False
        candle = self.market.candle(symbol, minute)
        return candle is None or range_.wakes(candle.low, candle.high)

    def _prints(self, symbols: Iterable[str], minute: int, start: int, end: int) -> list[Event]:
        found = []
        for symbol in symbols:
            path = self.market.path(symbol, minute)
            for index, (offset, price) in enumerate(path):
                if start <= minute + offset < end:
                    found.append((minute + offset, (0, symbol, index), self._print(symbol, path, index, price)))
        return found

    def _print(self, symbol: str, path: Path, index: int, price: Decimal) -> Callable[[], None]:
        def happen() -> None:
            if self._range(symbol).wakes(price, price):
                self._matching.on_print(symbol, price, path[index + 1 :])

        return happen

    def funding_rate(self, symbol: str, at_ms: int) -> Decimal:
        """The rate settled at the funding time at or before *at_ms*; the same for ever."""
        return funding_rate(self.config, symbol, at_ms)

    # --- accounts -----------------------------------------------------------------------------------------------------

    def create_account(
        self,
        balance: Decimal,
        *,
        uid: int | None = None,
        key: ApiKey | None = None,
        label: str = "",
        terms: FeeTerms | None = None,
        born: Born | None = None,
    ) -> Account:
        """A new account with *balance* USDT, and some of what it pays fees in; ValueError when uid or key is taken."""
        number = max(self.books.accounts, default=FIRST_UID - 1) + 1 if uid is None else uid
        if number in self.books.accounts:
            raise ValueError(f"uid {number} is taken")
        chosen = key or self._derived_key(number, 1)
        if chosen.key in self._keys:
            raise ValueError("this API key is taken")
        born = born or Born()
        account = Account(
            number,
            label,
            self.books.now,
            [],
            terms=terms or FeeTerms(),
            margin_mode=born.margin_mode,
            is_demo=born.is_demo,
        )
        self._admit(account)
        self.add_key(number, chosen)
        self.dealing.deposit(number, balance)
        if account.terms.coin != USDT:
            self.books.book(account, CashMove("TRANSFER_IN", cash_flow=BORN_WITH), account.terms.coin)
        return account

    def add_key(self, uid: int, key: ApiKey | None = None) -> ApiKey:
        """One more key for *uid*; ValueError when it is taken."""
        account = self.books.account(uid)
        chosen = key or self._derived_key(uid, len(account.keys) + 1)
        if chosen.key in self._keys:
            raise ValueError("this API key is taken")
        account.keys.append(chosen)
        self._keys[chosen.key] = (uid, chosen)
        self.books.touch(account)
        return chosen

    def find_key(self, api_key: str) -> tuple[Account, ApiKey] | None:
        """The account and key of *api_key*, or None."""
        found = self._keys.get(api_key)
        return (self.books.account(found[0]), found[1]) if found else None

    def _derived_key(self, uid: int, number: int) -> ApiKey:
        raw = f"{self.config.seed}|key|{uid}|{number}".encode()
        digest = blake2b(raw, digest_size=27).hexdigest()
        return ApiKey(digest[:18], digest[18:], created_ms=self.books.now)

    def _admit(self, account: Account) -> None:
        self.books.accounts[account.uid] = account
        self.books.history[account.uid] = History()
        self.books.stale_ranges.update(self.books.instruments)

    # --- keeping ------------------------------------------------------------------------------------------------------

    def dirty(self) -> set[int]:
        """The uids changed since the last call."""
        changed, self.books.dirty = self.books.dirty, set()
        return changed

    def drain_rows(self) -> list[Row]:
        """The history lines written since the last call, in order."""
        fresh, self.books.new_rows = self.books.new_rows, []
        return [row_of(kind, record) for kind, record in fresh]

    def export_account(self, uid: int) -> dict[str, Any]:
        """The present state of *uid* as JSON values, money as text; history travels as rows."""
        exported: dict[str, Any] = msgspec.to_builtins(self.books.account(uid))
        return exported

    def import_account(self, data: Mapping[str, Any]) -> Account:
        """Take over an exported account; ValueError when *data* is damaged or the account is here already."""
        try:
            account = msgspec.convert(dict(data), Account)
        except msgspec.ValidationError as error:
            raise ValueError(f"not an account: {error}") from None
        if account.uid in self.books.accounts:
            raise ValueError(f"uid {account.uid} is taken")
        self._admit(account)
        for key in account.keys:
            self._keys[key.key] = (account.uid, key)
        for order in account.orders.values():
            if order.link_id:
                self.books.history[account.uid].links[order.link_id] = order.order_id
            if order.match_at:
                heapq.heappush(self._pending, (order.match_at, account.uid, order.seq, order.order_id))
        return account

    def import_rows(self, rows: Iterable[Row]) -> None:
        """Take over history lines, in the order they were drained, after their accounts."""
        for row in rows:
            self._remember(self.books.history[row.uid], record_of(row))

    def _remember(self, history: History, record: object) -> None:
        match record:
            case OrderRecord():
                history.closed.append(record)
                history.by_id[record.order_id] = record
                if record.link_id:
                    history.links[record.link_id] = record.order_id
            case Execution():
                history.add_execution(record)
            case Transaction():
                history.transactions.append(record)
            case ClosedPnl():
                history.closed_pnls.append(record)
