"""
Orders: identity, states, and the claim.

`order_link_id` is a pure function of what the order is for, so the same intent has the same id for ever and the
exchange refuses its twin. The state machine here is the law every ledger obeys: terminal is final, and once bytes may
have left (`attempts >= 1`) only a query closes a row. No clock, no I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal, get_args

from lib.domain import reason_codes as codes
from lib.domain.account import Slot, Venue
from lib.domain.exit_rules import NO_RULES, ExitRules
from lib.domain.position import ZERO, Side
from lib.domain.reason import NOTHING, Reason

CYCLE_MS = 300_000
RECV_WINDOW_MS = 5_000
"""W: how long after its timestamp the exchange accepts signed bytes."""
MAX_AGE_MS = 90_000
"""X: greatest age of a decision's data at the claim."""
INDEX_LAG_MS = 10_000
"""LAG: allowance for the exchange to make an accepted order queryable."""
MAX_CLOCK_ERROR_MS = 1_000
MAX_ATTEMPTS = 3
EVIDENCE_LIFE_MS = 24 * 3_600_000
"""How long the exchange keeps rejected and cancelled records; past it, no proof is possible."""
LINK_ID_MAX = 36

Leg = Literal["e", "x", "g", "f"]
"""e entry · x exit by decision · g guardian's close · f flatten."""


class OrderState(StrEnum):
    """Where one request to the exchange stands."""

    PLANNED = "PLANNED"
    SUBMITTING = "SUBMITTING"
    ACCEPTED = "ACCEPTED"
    UNKNOWN = "UNKNOWN"
    FILLED = "FILLED"
    PARTIAL = "PARTIAL"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    ABSENT = "ABSENT"
    EXPIRED = "EXPIRED"
    BLOCKED = "BLOCKED"
    NEEDS_HUMAN = "NEEDS_HUMAN"


S = OrderState
VERDICTS = frozenset({S.FILLED, S.PARTIAL, S.CANCELLED, S.REJECTED})
"""States only an exchange record can give."""
TERMINAL = VERDICTS | {S.ABSENT, S.EXPIRED, S.BLOCKED}
IN_FLIGHT = frozenset({S.SUBMITTING, S.ACCEPTED, S.UNKNOWN})
"""States a query must close."""

TRANSITIONS: Mapping[OrderState, frozenset[OrderState]] = {
    S.PLANNED: frozenset({S.SUBMITTING, S.EXPIRED, S.BLOCKED, S.UNKNOWN}),
    S.SUBMITTING: frozenset({S.PLANNED, S.ACCEPTED, S.UNKNOWN}) | VERDICTS | {S.ABSENT},
    S.ACCEPTED: VERDICTS | {S.UNKNOWN, S.ABSENT},
    S.UNKNOWN: VERDICTS | {S.ABSENT, S.NEEDS_HUMAN, S.ACCEPTED},
    S.NEEDS_HUMAN: TERMINAL,
    **{state: frozenset() for state in TERMINAL},
}


def may_move(before: OrderState, after: OrderState, attempts: int) -> bool:
    """Whether the machine allows *before* → *after* for a row with *attempts* sends behind it."""
    if attempts >= 1 and after in (S.EXPIRED, S.BLOCKED) and before is not S.NEEDS_HUMAN:
        return False
    return after in TRANSITIONS[before]


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """
    An order as planned, before it has a row. *qty* None = sized after the exit before it (a flip's entry).

    Prices in USDT, qty in base units; *stop_loss* and *take_profit* are 0 on exits.
    """

    leg: Leg
    side: Side
    qty: Decimal | None
    limit_price: Decimal
    ref_price: Decimal
    stop_loss: Decimal
    take_profit: Decimal
    leverage: int
    reduce_only: bool
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """Our row for one request to the exchange."""

    id: int
    account_id: int
    user_id: int
    uid: str
    venue: Venue
    symbol: str
    t_ms: int
    leg: Leg
    seq: int
    order_link_id: str
    state: OrderState
    side: Side
    qty: Decimal | None
    limit_price: Decimal
    ref_price: Decimal
    stop_loss: Decimal
    take_profit: Decimal
    leverage: int
    reduce_only: bool
    key_version: int
    settings_version: int
    attempts: int = 0
    signed_ts: int = 0
    body_sha256: str = ""
    epoch: int = 0
    exchange_order_id: str = ""
    filled_qty: Decimal = ZERO
    avg_price: Decimal = ZERO
    fee: Decimal = ZERO
    last_code: int = 0
    why: Reason = NOTHING
    created_ms: int = 0
    updated_ms: int = 0
    exits: ExitRules = NO_RULES
    """Of an entry: what is done by rule with the position it makes."""

    @property
    def is_entry(self) -> bool:
        return not self.reduce_only

    @property
    def slot(self) -> Slot:
        """Where it opens, or closes, a position."""
        return self.account_id, self.symbol


_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(number: int) -> str:
    """*number* >= 0 in lowercase base 36."""
    if number < 0:
        raise ValueError("base36 takes numbers >= 0")
    text = ""
    while True:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
        if not number:
            return text


def link_prefix(installation: str) -> str:
    """What every order_link_id of this *installation* (1..6 of [a-z0-9]) begins with."""
    if not (1 <= len(installation) <= 6 and all(c in _DIGITS for c in installation)):
        raise ValueError("an installation id is 1 to 6 of a-z and 0-9")
    return f"mm{installation}-"


def order_link_id(installation: str, t_ms: int, symbol_no: int, account_id: int, leg: Leg, seq: int) -> str:
    """The id of one intent: at most 36 of [A-Za-z0-9_-]; *t_ms* is the cycle boundary, *seq* 0..35."""
    if not 0 <= seq < 36:
        raise ValueError("seq is 0 to 35")
    parts = (base36(t_ms), base36(symbol_no), base36(account_id), f"{leg}{base36(seq)}")
    made = link_prefix(installation) + "-".join(parts)
    if len(made) > LINK_ID_MAX:
        raise ValueError(f"order_link_id {made!r} is longer than {LINK_ID_MAX}")
    return made


@dataclass(frozen=True, slots=True)
class LinkId:
    """What an order_link_id says of itself."""

    installation: str
    t_ms: int
    symbol_no: int
    account_id: int
    leg: Leg
    seq: int


def parse_link_id(text: str) -> LinkId | None:
    """What *text* says when `order_link_id` made it (of any installation), or None. One reading, one spelling."""
    parts = text.split("-")
    if len(text) > LINK_ID_MAX or len(parts) != 5 or not parts[0].startswith("mm"):
        return None
    try:
        t_ms, symbol_no, account_id, seq = (int(part, 36) for part in (*parts[1:4], parts[4][1:]))
        read = LinkId(parts[0][2:], t_ms, symbol_no, account_id, _leg(parts[4][:1]), seq)
        made = order_link_id(read.installation, t_ms, symbol_no, account_id, read.leg, seq)
    except ValueError:
        return None
    return read if made == text else None


def _leg(letter: str) -> Leg:
    for leg in get_args(Leg):
        if leg == letter:
            return leg  # type: ignore[no-any-return]
    raise ValueError("no such leg")


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """What the claim's locking reads saw, and the ledger's clock read after them (epoch ms)."""

    now: int
    trading_enabled: bool
    flatten: bool
    lease_ours: bool
    auto_trade: bool
    deleted: bool
    feed_fits: bool
    key_version: int
    settings_version: int
    locks: tuple[str, ...]
    real_money: Reason
    """The gate before real money that is closed; `NOTHING` where all are open, and on venues without real money."""
    traded: bool = True
    """Whether the account's owner has not taken the symbol off."""


@dataclass(frozen=True, slots=True)
class Claim:
    """
    The claim's answer: *granted*, and the state the row must now have with its reason.

    *sign_again* = too much time lay between signing and the claim: a fresh signature may be claimed at once.
    """

    granted: bool
    state: OrderState
    why: Reason
    sign_again: bool = False


def claim_entry(order: Order, facts: ClaimFacts, signed_ts: int) -> Claim:
    """Whether an entry may be sent now. The one linearization point: every off-switch is read here."""
    if order.state is not S.PLANNED:
        return Claim(False, order.state, codes.ALREADY_CLAIMED())
    if not facts.lease_ours:
        return Claim(False, S.PLANNED, codes.LEASE_LOST())
    if blocked := _blocked(order, facts):
        return Claim(False, S.UNKNOWN if order.attempts else S.BLOCKED, blocked)
    if facts.now - order.t_ms > MAX_AGE_MS:
        return Claim(False, S.UNKNOWN if order.attempts else S.EXPIRED, codes.DECISION_TOO_OLD())
    return _attempt(order, facts.now, signed_ts)


def _blocked(order: Order, facts: ClaimFacts) -> Reason:
    checks = (
        (facts.trading_enabled and not facts.flatten, codes.TRADING_SWITCHED_OFF()),
        (facts.auto_trade, codes.AUTO_TRADING_OFF()),
        (not facts.deleted, codes.ACCOUNT_DELETED()),
        (facts.traded, codes.SYMBOL_NOT_CHOSEN()),
        (facts.feed_fits, codes.FEED_DOES_NOT_FIT()),
        (facts.key_version == order.key_version, codes.KEY_CHANGED()),
        (facts.settings_version == order.settings_version, codes.SETTINGS_CHANGED()),
        (not facts.locks, codes.ENTRIES_LOCKED(locks=", ".join(facts.locks))),
        (not facts.real_money, facts.real_money),
    )
    return next((why for holds, why in checks if not holds), NOTHING)


def claim_exit(order: Order, *, now: int, key_version: int, signed_ts: int) -> Claim:
    """Whether a reduce-only order may be sent now: needs state, attempts, clock and key alone."""
    if not order.reduce_only:
        raise ValueError("only reduce-only orders claim as exits")
    if order.state is not S.PLANNED:
        return Claim(False, order.state, codes.ALREADY_CLAIMED())
    if key_version != order.key_version:
        return Claim(False, S.UNKNOWN if order.attempts else S.BLOCKED, codes.KEY_CHANGED())
    return _attempt(order, now, signed_ts)


def _attempt(order: Order, now: int, signed_ts: int) -> Claim:
    if order.attempts >= MAX_ATTEMPTS:
        return Claim(False, S.UNKNOWN, codes.REFUSED_THREE_TIMES())
    if abs(signed_ts - now) > MAX_CLOCK_ERROR_MS:
        return Claim(False, S.PLANNED, codes.CLOCKS_DIFFER(), sign_again=True)
    return Claim(True, S.SUBMITTING, codes.CLAIMED())


class SendOutcome(StrEnum):
    """What the reply to a send says happened, in no venue's words. A hint, never a verdict."""

    ACCEPTED = "accepted"
    """Acknowledged: the order may still rest, fill or be rejected."""
    REFUSED_EARLY = "refused early"
    """Refused before execution: the same order may be signed and sent again under the same id."""
    REFUSED = "refused"
    """Refused by a rule, or until a person acts: sending the order again would change nothing."""
    UNKNOWN = "unknown"
    """The order may have taken effect: no readable reply, a reply that says so, or a code that is not known."""


def after_hint(outcome: SendOutcome, attempts: int) -> OrderState:
    """
    Where the reply to a send moves a SUBMITTING row with *attempts* sends behind it.

    A reply is a hint: an acknowledged order is not filled, an order refused early may be sent again under the same id,
    and after any other reply, a refusal too, the order is UNKNOWN until a query answers.
    """
    if outcome is SendOutcome.ACCEPTED:
        return S.ACCEPTED
    if outcome is SendOutcome.REFUSED_EARLY and attempts < MAX_ATTEMPTS:
        return S.PLANNED
    return S.UNKNOWN


def ripe_ms(signed_ts: int) -> int:
    """The exchange's time (epoch ms) after which its silence proves that bytes signed at *signed_ts* never arrived."""
    return signed_ts + RECV_WINDOW_MS + INDEX_LAG_MS


def absence_proved(signed_ts: int, smallest_answer_time: int) -> bool:
    """Whether empty answers, of which the smallest server time is given, prove that the bytes signed at *signed_ts* can
    no longer be accepted."""
    return smallest_answer_time > ripe_ms(signed_ts)
