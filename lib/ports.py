"""
Every outside thing, on one page.

A port states a contract; adapters implement it, fakes in tests implement it, one contract suite runs on all of them.
Async ports may be called from many tasks at once. Errors are the four reactions of `lib.domain.errors`; anything
else escaping an adapter is a bug. Money is Decimal, time is epoch ms.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

from lib.clock import Clock as Clock
from lib.domain.account import AccountSettings, Colours, Doubt, Pool, Venue
from lib.domain.books import Books as Books
from lib.domain.books import Charge as Charge
from lib.domain.books import EquityPoint as EquityPoint
from lib.domain.books import Fill as Fill
from lib.domain.books import FillKind as FillKind
from lib.domain.books import Transfer as Transfer
from lib.domain.books import TransferKind as TransferKind
from lib.domain.candle import Candle, FormingCandle
from lib.domain.decision import Abstained, Decision
from lib.domain.errors import Retry
from lib.domain.gates import PlatformFacts as PlatformFacts
from lib.domain.instrument import Instrument
from lib.domain.maintenance import Maintenance
from lib.domain.modes import MarginMode as MarginMode
from lib.domain.order import Claim, Order, OrderState
from lib.domain.pace import Pace
from lib.domain.platform_settings import Invite, Invites, LimitOverrides, SettingChange
from lib.domain.position import Position, Side
from lib.domain.risk import AccountPlan, Sizing

# --- Market data -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KlineUpdate:
    """One push of the kline stream: *closed* is the venue's `confirm`; *seen_at* the venue's clock, epoch ms."""

    symbol: str
    interval: str
    candle: Candle
    closed: bool
    seen_at: int


@dataclass(frozen=True, slots=True)
class Ticker:
    """Best knowledge of the price now, in USDT; *seen_at* is the venue's clock, epoch ms."""

    symbol: str
    last: Decimal
    mark: Decimal
    seen_at: int


class NotListed(Retry):
    """
    The venue does not list the symbol, now or any more: trouble of that symbol alone, and no process ends by it.

    Asked again later it may be listed again.
    """


class MarketData(Protocol):
    """Public REST of one feed, synchronous (the collector is threads; async callers use a thread)."""

    def server_time(self) -> int:
        """The venue's clock, epoch ms. *Retry* when unreachable."""
        ...

    def closed_candles(self, symbol: str, interval: str, *, end: int | None = None, limit: int = 1000) -> list[Candle]:
        """
        The newest *limit* (1..1000) closed candles that open at or before *end* (default: now), oldest first.

        The still-open row is dropped by the venue's clock. An empty list means there are none; failure raises *Retry*.
        """
        ...

    def instrument(self, symbol: str) -> Instrument:
        """Trading rules now. *NotListed* for an unknown symbol, *Retry* when unreachable."""
        ...

    def ticker(self, symbol: str) -> Ticker:
        """Last and mark price now. *Retry* when unreachable."""
        ...


class KlineStream(Protocol):
    """A live kline subscription. Supervision (ping, watchdog, backoff, reconnect) is the implementation's."""

    def run(self, on_connect: Callable[[], None], on_update: Callable[[KlineUpdate], None]) -> None:
        """
        Block until `stop()`; call *on_connect* after each (re)subscription and *on_update* for every push, in order.

        Never raises for network trouble; an exception out of a callback ends the run and propagates.
        """
        ...

    def stop(self) -> None:
        """Make `run` return soon; callable from any thread, idempotent."""
        ...

    @property
    def connected(self) -> bool:
        """True while subscribed."""
        ...


AppendOutcome = Literal["appended", "replaced", "ignored", "gap"]


class CorruptCandles(Retry):
    """A store holds something that is not a list of candles: only `CandleStore.rebuild` helps."""


class CandleStore(Protocol):
    """
    Closed candles per (symbol, interval), contiguous by construction, newest *capacity* kept; plus what readers watch.

    Raises *Retry* when the store cannot be reached; values read back are exactly the values written.
    """

    def append(self, symbol: str, interval: str, candles: Sequence[Candle]) -> AppendOutcome:
        """
        Add closed candles, oldest first and consecutive among themselves, atomically.

        Empty list or newest + one step → pushed; already there and newest → replaced; older → ignored; anything
        that would leave a hole → "gap" and nothing of that candle on is written. The outcome is the last candle's.
        """
        ...

    def rebuild(self, symbol: str, interval: str, candles: Sequence[Candle]) -> None:
        """Replace the whole list by *candles* (oldest first, consecutive) in one atomic step."""
        ...

    def newest(self, symbol: str, interval: str, count: int) -> list[Candle]:
        """At most *count* newest closed candles, oldest first; undecodable contents raise *CorruptCandles*."""
        ...

    def count(self, symbol: str, interval: str) -> int:
        """How many closed candles are held."""
        ...

    def put_forming(self, symbol: str, interval: str, forming: FormingCandle) -> None:
        """Remember and publish the forming candle."""
        ...

    def forming(self, symbol: str, interval: str) -> FormingCandle | None:
        """The forming candle last put, or None."""
        ...

    def set_status(self, fields: dict[str, str]) -> None:
        """Merge *fields* into the hash `system:status`."""
        ...

    def status(self) -> dict[str, str]:
        """The hash `system:status`; empty when never written."""
        ...

    def clear(self) -> None:
        """Forget all candles (another feed's leftovers), keep the status."""
        ...


class AsyncCandleReader(Protocol):
    """What the trader needs of a candle store, as coroutines."""

    async def newest(self, symbol: str, interval: str, count: int) -> list[Candle]:
        """As `CandleStore.newest`."""
        ...

    async def set_status(self, fields: dict[str, str]) -> None:
        """As `CandleStore.set_status`."""
        ...


class PublicFeed(Protocol):
    """A real venue's public stream handed to the simulator for paper trading on real prices."""

    def events(self) -> AsyncIterator[KlineUpdate | Ticker]:
        """Kline pushes and price changes as they happen, for ever; reconnects by itself."""
        ...


# --- The exchange ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A person's exchange key; its repr shows nothing of the secret."""

    api_key: str
    api_secret: str

    def __repr__(self) -> str:
        return f"ApiKey(••••{self.api_key[-4:]})"


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """
    What the venue says of a key: whose it is and what it may do. *expires_at* epoch ms, 0 = not dated.

    *doubts* name what it does not say; then *uid* is "" and the rights are what an ordinary key has.
    """

    uid: str
    may_trade: bool
    may_withdraw: bool
    may_transfer: bool
    read_only: bool
    unified: bool
    bound_ips: tuple[str, ...]
    expires_at: int
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True, slots=True)
class Wallet:
    """USDT: *balance* is cash, *equity* cash + unrealised, *available* what a new isolated position may use."""

    balance: Decimal
    equity: Decimal
    available: Decimal
    seen_at: int


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """
    The exchange's own record of an order. *state* is None while it is open (New, PartiallyFilled, Untriggered).

    *is_child* marks a stop or target the exchange made itself: its *order_link_id* is empty, *parent_link_id* ours.
    """

    order_id: str
    order_link_id: str
    parent_link_id: str
    symbol: str
    side: Side
    state: OrderState | None
    qty: Decimal
    filled_qty: Decimal
    avg_price: Decimal
    fee: Decimal
    reduce_only: bool
    is_child: bool
    reject_reason: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class OrderAnswer:
    """Everything three queries know of one order_link_id; *time* is the smallest server time among the answers."""

    records: tuple[OrderRecord, ...]
    fills: tuple[Fill, ...]
    time: int


@dataclass(frozen=True, slots=True)
class SignedOrder:
    """Bytes fixed before the claim: sent as they are, once. *headers* hold the signature and live in memory only."""

    order_link_id: str
    body: bytes
    headers: dict[str, str]
    signed_ts: int
    body_sha256: str

    def __repr__(self) -> str:
        return f"SignedOrder({self.order_link_id}, signed_ts={self.signed_ts})"


@dataclass(frozen=True, slots=True)
class Ack:
    """The reply to a send: Bybit's retCode (None = no readable reply) and its text. A hint, never a verdict."""

    code: int | None
    message: str


class Exchange(Protocol):
    """
    One account at one venue, by that account's key. Queries raise *Retry* (try later) or *Pause* (key, permission).

    No method retries by itself. A rate limiter stands in front of every call.
    """

    uid: str

    async def server_time(self) -> int:
        """The venue's clock, epoch ms."""
        ...

    async def wallet(self) -> Wallet: ...

    async def position(self, symbol: str) -> Position:
        """The one-way position, flat when there is none or in hedge mode; its *seen_at* is the answer's server time."""
        ...

    async def margin_mode(self) -> MarginMode:
        """The margin mode the whole account is in now."""
        ...

    async def open_orders(self, symbol: str) -> list[OrderRecord]:
        """Working and untriggered orders, children included."""
        ...

    async def set_leverage(self, symbol: str, leverage: int) -> None:
        """Set both sides; "not modified" is success. *Pause*/*Retry* otherwise: any doubt is no entry."""
        ...

    async def set_trading_stop(self, symbol: str, stop_loss: Decimal, take_profit: Decimal) -> bool:
        """Full-mode stop and target on the open position by mark price; False when the venue refuses the prices."""
        ...

    def sign_order(self, order: Order, timestamp_ms: int) -> SignedOrder:
        """Fix body, timestamp and signature of *order* (qty must be set). Pure: nothing is sent."""
        ...

    async def send_order(self, signed: SignedOrder) -> Ack:
        """Send exactly those bytes once. Never raises: whatever is not a readable reply is `Ack(None, why)`."""
        ...

    async def find_order(self, symbol: str, order_link_id: str) -> OrderAnswer:
        """Ask realtime, then history, then executions; any failed query raises *Retry*: it proves nothing."""
        ...

    async def orders_since(self, symbol: str, since_ms: int) -> list[OrderRecord]:
        """Every order of any state created since, oldest first, children included."""
        ...

    async def fills_since(self, symbol: str, since_ms: int) -> list[Fill]:
        """Every execution since (inclusive), oldest first, all pages, funding and liquidation included."""
        ...

    async def transfers_since(self, since_ms: int) -> list[Transfer]:
        """Every change of the USDT balance since (inclusive) that no execution explains, oldest first, all pages."""
        ...

    async def cancel_order(self, symbol: str, order_link_id: str) -> None:
        """Cancel one working order of ours; one that is gone already is success. *Retry*/*Pause* otherwise."""
        ...

    async def cancel_all(self, symbol: str) -> None:
        """Cancel working orders; the position's own stop and target stay."""
        ...


Lane = Literal["guard", "trade", "settle"]
"""
Whose share of the address's request budget a call takes: *guard* for stops, exits and the guardian's own reads, which
never queue behind others; *trade* for the way to an entry; *settle* for what comes after the send and can wait.
"""


class NotNow(Retry):
    """Our own request budget has no room for a call a person asked for: nothing left, and it may be asked again."""


class BudgetAway(NotNow):
    """The request budget cannot be asked at all; without it nothing leaves."""


class KeyProbe(Protocol):
    """
    Onboarding of a key, synchronous; done once with the key in clear before it is sealed.

    *NotNow* from any method: the call did not leave.
    """

    def key_info(self, venue: Venue, key: ApiKey) -> KeyInfo:
        """What the venue says of *key*. *Pause* for a refused key, *Retry* when unreachable."""
        ...

    def prepare(self, venue: Venue, key: ApiKey, symbol: str) -> tuple[Doubt, ...]:
        """
        Isolated margin and one-way mode; already so is success. *Pause* says what the owner must change. The answer is
        what a demo account could not be given and trades without.
        """
        ...


# --- The analyst -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Prompt:
    """What one prompt group sends; *user* is JSON text with candles, risk level and leverage cap."""

    system: str
    user: str
    model: str


@dataclass(frozen=True, slots=True)
class AnalystAnswer:
    """
    The answer as read. *raw* at most 8,192 characters; *failed* = no answer came at all (timeout, 429, 5xx), and *raw*
    is what the provider said instead. Tokens that the provider does not tell are estimated.
    """

    decision: Decision | Abstained
    raw: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    latency_ms: int
    failed: bool
    cost: Decimal | None = None
    """What the call cost in USD, None when no price is known."""


class Analyst(Protocol):
    async def ask(self, prompt: Prompt, budget_s: float) -> AnalystAnswer:
        """One view within *budget_s* seconds, retries included. Never raises: anything odd abstains."""
        ...


class AnalystProfiles(Protocol):
    """What was learnt of a provider's model, shared by all processes: text under a key of at most 60 characters."""

    async def read(self, key: str) -> str:
        """What is remembered under *key*, "" for nothing. *Retry* when it cannot be read."""
        ...

    async def write(self, key: str, text: str) -> None:
        """Remember *text* under *key* in place of what was there. *Retry* when it cannot be written."""
        ...


# --- Secrets ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SealContext:
    """What a sealed key is bound to; a row moved to another person, venue or version does not open."""

    user_id: int
    venue: Venue
    uid: str
    key_version: int


class Sealer(Protocol):
    """All the web side has: it can seal and never open."""

    def seal(self, key: ApiKey, context: SealContext) -> str: ...


class Opener(Protocol):
    """The trader's half."""

    def open(self, sealed: str, context: SealContext) -> ApiKey:
        """*Pause* when the seal does not fit the context or the key pair."""
        ...


# --- The ledger ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TraderAccount:
    """An account as the trader sees it. *auto_since* is when auto-trading was last switched on, epoch ms."""

    account_id: int
    user_id: int
    venue: Venue
    feed: str
    uid: str
    symbol: str
    symbol_no: int
    settings: AccountSettings
    key_version: int
    settings_version: int
    sealed_key: str
    auto_trade: bool
    auto_since: int
    trading_enabled: bool
    booked_qty: Decimal
    """Signed quantity our fills add up to."""
    flatten: bool = False
    """L3 of this account: nothing is entered, what is open is closed."""
    switched_ms: int = 0
    """When its switches were last thrown; *proven_ms* when it was last proved stopped after that (0 = not yet)."""
    proven_ms: int = 0
    paused_by: str = ""
    """Who switched trading off: owner, operator or system; "" = nobody."""
    is_guest: bool = False
    doubts: tuple[Doubt, ...] = ()
    """What the venue did not tell or set when its key was entered."""
    language: str = "ko"
    """That of the owner's pages, "ko" or "en": the analyst gives its reason in it."""


@dataclass(frozen=True, slots=True)
class Flags:
    """
    The platform's two switches; unreadable means no entry. *switched_ms* is when they were last thrown by the ledger's
    clock, *proven_ms* when everything was last proved stopped after that (0 = not yet).
    """

    trading_enabled: bool
    flatten: bool
    switched_ms: int = 0
    proven_ms: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class RiskLock:
    """Entries of one account (*account_id* 0: of the platform) are off until *until_ms*, for the reason *why*."""

    account_id: int
    kind: str
    until_ms: int
    why: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class CycleKey:
    """One analyst call: *prompt_group* is the sha256 (hex) of everything that makes prompts equal."""

    feed: str
    symbol: str
    interval_s: int
    t_ms: int
    prompt_group: str


AskedFor = Literal["exchange", "paper", "guests"]
"""Whom the analyst was asked for: somebody on a real exchange, nobody but with paper money, guests alone."""


@dataclass(frozen=True, slots=True)
class CycleRecord:
    """What was asked and answered, stored once. *decision_json* is the parsed decision or the abstention."""

    key: CycleKey
    prompt: str
    candles: str
    answer: AnalystAnswer
    asked_for: AskedFor = "exchange"
    """On whose budget it goes."""


@dataclass(frozen=True, slots=True)
class LogFacts:
    """What our books know of an account at T; the ledger's half of `risk.Facts`."""

    own_qty: Decimal
    day_start_equity: Decimal
    peak_equity: Decimal
    entries_today: int
    loss_streak: int
    """Losing round trips in a row on this UTC day."""
    last_stop_ms: int
    locks: tuple[str, ...]
    unresolved: int
    tokens_today: int = 0
    """Analyst tokens behind this account's own decisions of the UTC day; a shared answer counts whole."""
    difference_before: Decimal = Decimal(0)
    """Balance less books at the newest equity point at least `gates.UNLISTED_MS` older than T; 0 without one."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a query found out about an order."""

    state: OrderState
    why: str
    exchange_order_id: str
    filled_qty: Decimal
    avg_price: Decimal
    fee: Decimal


class Ledger(Protocol):
    """
    The database as the trader uses it: every method is one transaction, committed when it returns.

    An order is known by its link: where a database that lost commits gave its id to another, acts on it are *Retry*.
    An exception in COMMIT raises *Retry* with unknown effect: callers treat it as not having happened for sending and
    as possible for everything else. All writes are idempotent or compare-and-set. Lists are ordered by id.
    """

    async def now(self) -> int:
        """The ledger's clock, epoch ms (SYSDATE on MySQL; the market clock in replay)."""
        ...

    async def hold_lease(self, holder: str, ttl_ms: int) -> int | None:
        """Take, renew or take over the trader's lease; its epoch, or None while another holds it."""
        ...

    async def release_lease(self, holder: str) -> None: ...

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

    async def accounts(self) -> list[TraderAccount]:
        """
        Every account with a key, whether trading or paused; one active account per person. A deleted person's is there,
        with auto-trading off, as long as it has a position or an open row: it must still be guarded; and for an hour
        after it left, for the database may have lost that row. A row that cannot be read costs its own account alone.
        """
        ...

    async def cycle(self, key: CycleKey) -> AnalystAnswer | None:
        """The answer recorded for *key*, or None."""
        ...

    async def record_cycle(self, record: CycleRecord) -> AnalystAnswer:
        """First writer wins: store *record* unless one is there; the answer that now stands."""
        ...

    async def analyst_failures(self, feed: str, symbol: str, before_ms: int | None = None) -> int:
        """How many of the newest cycles in a row, of those before *before_ms*, failed to get an answer."""
        ...

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

    async def pause(self, account_id: int, why: str) -> None:
        """The *Pause* reaction: trading off for the account, its owner told once through the outbox."""
        ...

    async def notice(self, account_id: int, kind: str, body: str) -> None:
        """Tell the account's owner *body* through the outbox, in plain words; *kind* at most 40 characters."""
        ...


class Exchanges(Protocol):
    """Opens an account's key and hands out its exchange."""

    def open(self, account: TraderAccount, lane: Lane = "trade") -> Exchange:
        """*Pause* when the key cannot be opened. Calls take their share of the request budget from *lane*."""
        ...


class AccountHints(Protocol):
    """
    Private streams of accounts. What they say is a hint to look, never a fact: whoever hears one asks by REST.

    Reconnecting, signing in and silence are the implementation's; a stream that cannot be had makes no noise here.
    """

    async def follow(self, accounts: Sequence[TraderAccount]) -> None:
        """Be subscribed for exactly these accounts; a key that cannot be opened leaves its account out."""
        ...

    async def next(self) -> int:
        """The next account id to which something happened, or whose stream came up (again)."""
        ...

    async def close(self) -> None:
        """End every stream."""
        ...


class AsyncMarket(Protocol):
    """What the trader asks of the feed itself: the cross-check, the price now, the rules."""

    async def closed_candles(self, symbol: str, interval: str, *, end: int | None = None, limit: int) -> list[Candle]:
        """As `MarketData.closed_candles`."""
        ...

    async def maintenance(self, venue: Venue) -> tuple[Maintenance, ...]:
        """What *venue* announces for contract trading, over ones left out; *Retry* when it cannot be asked."""
        ...

    async def ticker(self, venue: Venue, symbol: str) -> Ticker:
        """The price at *venue*, where the order will meet it."""
        ...

    async def instrument(self, venue: Venue, symbol: str) -> Instrument:
        """Trading rules at *venue*."""
        ...


# --- People (synchronous: forms, set-up, the demo) -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewAccount:
    """
    A person's account to be. Our books begin at *opened_ms* (epoch ms) with the venue's wallet at *start_balance* USDT;
    executions before that moment are not ours.
    """

    user_id: int
    venue: Venue
    feed: str
    uid: str
    symbol: str
    sealed_key: str
    key_last4: str
    key_version: int
    start_balance: Decimal
    opened_ms: int
    doubts: tuple[Doubt, ...] = ()


class Accounts(Protocol):
    """Users and their accounts, synchronous, one transaction a method. *ValueError* for what a form should refuse."""

    def add_user(self, email: str, password_hash: str, *, is_demo: bool = False) -> int:
        """The new user's id; ValueError when the e-mail is taken (compared lower-case, trimmed)."""
        ...

    def user_id(self, email: str) -> int | None: ...

    def add_account(self, new: NewAccount) -> int:
        """The new account's id; it becomes the person's active one. ValueError when (venue, uid) is taken."""
        ...

    def change_settings(self, user_id: int, settings: AccountSettings, version: int | None = None) -> bool:
        """
        False, and nothing changed, when the settings are no longer those of *version* (None = whatever they are);
        what is equal already is not changed and needs no version.
        """
        ...

    def set_auto_trade(self, user_id: int, on: bool, now_ms: int) -> None: ...


# --- Signing in (synchronous, one transaction a method; any thread) --------------------------------------------------


@dataclass(frozen=True, slots=True)
class Login:
    """What signing in needs of a person; a hash that is no argon2 hash lets nobody in."""

    user_id: int
    password_hash: str
    is_demo: bool

    def __repr__(self) -> str:
        return f"Login({self.user_id})"


class InviteRefused(ValueError):
    """There is no such invitation, or it was used, or its time is over."""


class Logins(Protocol):
    """People as sign-in knows them. E-mails are compared exactly, in `normal_email`; deleted people are not found."""

    def add(self, email: str, password_hash: str, *, locale: str, risk_accepted_ms: int, is_guest: bool = False) -> int:
        """The new person's id; ValueError when the e-mail is taken."""
        ...

    def add_invited(self, email: str, password_hash: str, *, locale: str, risk_accepted_ms: int, invite: Invite) -> int:
        """As `add`, using *invite* up in the same breath: *InviteRefused* adds nobody, a taken e-mail uses nothing."""
        ...

    def living_guests(self) -> int:
        """How many guests there are that have not ended."""
        ...

    def keep_guest(self, user_id: int, email: str, password_hash: str, invite: Invite | None = None) -> bool:
        """
        Make the guest a person who signs in; False when it is no guest (any more), ValueError when taken.

        With *invite*, that is used up in the same breath, or *InviteRefused* changes nothing.
        """
        ...

    def end_guests(self, now_ms: int) -> tuple[int, ...]:
        """
        Mark as deleted every guest without a living session (`lib.domain.session`); who they were.

        One made within the last minute is let be: their first session may be on its way.
        """
        ...

    def find(self, email: str) -> Login | None: ...

    def change_hash(self, user_id: int, password_hash: str) -> None: ...

    def change_looks(self, user_id: int, locale: str, colours: Colours) -> None:
        """How pages look to the person, in every browser."""
        ...

    def delete(self, user_id: int, now_ms: int) -> None:
        """Mark as deleted: signs in no more, trades no more; the rows stay."""
        ...


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session to be; only the token's sha256 (hex) is ever stored. Times in epoch ms."""

    token_sha256: str
    user_id: int
    read_only: bool
    ip: str
    user_agent: str
    now_ms: int


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A stored session with its person."""

    user_id: int
    email: str
    locale: str
    is_demo: bool
    read_only: bool
    created_ms: int
    seen_ms: int
    ip: str = ""
    """Where it was opened."""
    colours: Colours = "language"
    is_guest: bool = False


class Sessions(Protocol):
    """Server-side sessions. What is closed is gone at once for every process. *Retry* when the database is away."""

    def open(self, new: NewSession) -> None: ...

    def find(self, token_sha256: str) -> SessionRow | None:
        """The session unless it was closed or its person deleted; expiry is the caller's rule."""
        ...

    def touch(self, token_sha256: str, now_ms: int) -> None:
        """Remember that it was used."""
        ...

    def close(self, token_sha256: str) -> None: ...

    def close_all(self, user_id: int) -> None:
        """Every session of that person."""
        ...

    def drop_unseen(self, before_ms: int) -> int:
        """Forget sessions last used before then; how many."""
        ...


class Browsers(Protocol):
    """Browsers somebody signed in with before, by the sha256 of a token that only the browser has."""

    def remember(self, token_sha256: str, user_id: int, now_ms: int) -> None:
        """This browser is the person's, used now; of one person the newest 20 are kept."""
        ...

    def owner(self, token_sha256: str) -> int | None:
        """Who signed in with it; None for an unknown one."""
        ...

    def forget_all(self, user_id: int) -> None: ...

    def drop_unseen(self, before_ms: int) -> int:
        """Forget browsers last used before then; how many."""
        ...


class Throttles(Protocol):
    """Tallies of tries by key, one row each, counted before the try so that parallel tries cannot slip through."""

    def attempt(self, key: str, pace: Pace, now_ms: int) -> int:
        """0 = go on, and the try is counted; else ms to wait, and it is not."""
        ...

    def forgive(self, key: str, pace: Pace, now_ms: int) -> None:
        """The last try was the person's own: take it off the tally."""
        ...

    def drop_older(self, before_ms: int) -> int:
        """Forget tallies last counted before then; how many."""
        ...


class PasswordHasher(Protocol):
    """Slow on purpose: callers bound how many run at once."""

    def hash(self, password: str) -> str:
        """The text to store."""
        ...

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether *password* made *stored*; None costs the same and is False."""
        ...

    def needs_rehash(self, stored: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class CandleTick:
    """A change of one candle list as published; *rebuilt* = the whole list was replaced, read it again."""

    symbol: str
    interval: str
    candle: Candle
    closed: bool
    rebuilt: bool


class LiveCandles(Protocol):
    """The publications of the collector."""

    def ticks(self) -> AsyncIterator[CandleTick]:
        """Changes of every list as they happen; raises *Retry* when the connection is lost: ask again."""
        ...


@dataclass(frozen=True, slots=True)
class ActiveAccount:
    """A person's active account as forms see it. *has_key* is False once its key was deleted."""

    account_id: int
    venue: Venue
    feed: str
    uid: str
    symbol: str
    key_version: int
    trading_enabled: bool
    has_key: bool


class AccountTaken(ValueError):
    """That exchange account is registered already, by this person or another."""


class StoppedByOperator(ValueError):
    """An operator stopped the account: its owner cannot resume it."""


class AccountInUse(ValueError):
    """The account still has an open order or position."""


class Keyring(Protocol):
    """The sealed keys of people's accounts, one transaction a method. *ValueError* for no such person."""

    def active(self, user_id: int) -> ActiveAccount | None: ...

    def next_version(self, user_id: int, venue: Venue, feed: str, uid: str) -> int:
        """The key_version a new key of that account would be sealed with: 1 for an account nobody has yet."""
        ...

    def own_uid(self, user_id: int, account_id: int, venue: Venue, feed: str) -> str | None:
        """The uid of that account if it is there and the person's; *AccountTaken* when it is another person's."""
        ...

    def put(self, new: NewAccount) -> int:
        """
        Add the account, or give the person's own (venue, feed, uid) the key of *new*; the account's id.

        It becomes the active one, with auto-trading off when another was; the key it replaces is wiped. A new account
        begins with trading on, a known one keeps its switches. *AccountTaken* when it is another person's,
        *AccountInUse* for the one given up; *Retry* when another key came in between.
        """
        ...

    def remove(self, user_id: int) -> bool:
        """
        Wipe every key of the active account, end the account's trading; False when there is none.

        *AccountInUse* while it has an open order or position: only the key can still end them.
        """
        ...

    def set_trading(self, user_id: int, on: bool) -> bool:
        """
        The owner's own pause switch (L1) of the active account; switching on forgets why it was paused. False when
        there is none, *StoppedByOperator* when it is not the owner's to switch on.
        """
        ...

    def flatten(self, user_id: int) -> bool:
        """The owner's L3 of the active account: no entries, and everything of ours closed. False when there is none."""
        ...


class OwnLocks(Protocol):
    """A person's own risk locks, synchronous, one transaction a method."""

    def end(self, user_id: int, kind: str) -> bool:
        """As `Ledger.unlock` for the person's active account; False when none holds. ValueError for no such person."""
        ...


CommandKind = Literal["ask_now", "recheck_key", "flatten"]


@dataclass(frozen=True, slots=True)
class Command:
    """What the web asked of the trader for one account at *asked_ms* (epoch ms)."""

    id: int
    user_id: int
    account_id: int
    kind: CommandKind
    asked_ms: int


class CommandQueue(Protocol):
    """The web's half of the `commands` table, synchronous."""

    def ask(self, wish: Command, every_ms: int) -> int:
        """
        Put *wish* (its id is ignored) unless the person asked for that kind less than *every_ms* ago.

        The wait in ms; 0 = it was put. ValueError for no such person.
        """
        ...


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


@dataclass(frozen=True, slots=True)
class PaperAccount:
    """A fresh account at the simulator."""

    uid: str
    key: ApiKey


class PaperDesk(Protocol):
    """Opens accounts at this deployment's paper exchange."""

    def open(self, label: str, balance: Decimal) -> PaperAccount:
        """
        An account of *balance* USDT. *Retry* when the paper exchange is away, *Pause* when it refuses, *NotNow* when
        the request budget has no room.
        """
        ...


@dataclass(frozen=True, slots=True)
class AccountLook:
    """What lies on an exchange account before it is ours: USDT *balance*, link ids of recent and working orders."""

    balance: Decimal
    links: tuple[str, ...]


class AccountProbe(Protocol):
    """A look at an account with its key in clear, synchronous; not callable from a running event loop."""

    def look(self, venue: Venue, uid: str, key: ApiKey, symbol: str) -> AccountLook:
        """*Pause* for a refused key, *Retry* when unreachable."""
        ...


class PlatformBook(Protocol):
    """
    Platform settings as the operator changes them, and invitations. Only an operator's terminal has one.

    Every change and its entry in the audit trail are one transaction.
    """

    def rows(self) -> dict[str, str]:
        """Every platform setting that has a row: its whole name and its text, read or not."""
        ...

    def change(self, name: str, after: str | None, who: str, why: str) -> SettingChange | None:
        """Write the row *name*, or take it away (None); what was changed, None = it said that already."""
        ...

    def changes(self, newest: int) -> list[SettingChange]:
        """The *newest* entries of the audit trail, newest first."""
        ...

    def add_invites(self, codes_sha256: Sequence[str], expires_ms: int, who: str) -> None:
        """One invitation for each of *codes_sha256*, good once and before *expires_ms*."""
        ...

    def invites(self) -> Invites:
        """How many invitations are still good, were used, ended unused."""
        ...
