"""
The acceptance cards as data: what each asks of a venue and expects, what it got, and whether a run passed. Pure.

A *Card* is one question that the order protocol rests on (docs/acceptance.md). Reading cards change nothing; order
cards trade the smallest order there is. A run is of one account, one host and one version of this program: what it
proves, it proves of those alone.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from lib.domain import reason_codes as codes
from lib.domain.account import Venue
from lib.domain.bybit_sites import is_bybits
from lib.domain.order import Leg, Order, OrderState, base36
from lib.domain.position import ZERO, Side
from lib.domain.reason import Reason


class Card(StrEnum):
    """One question; the value is stored, so it is never renamed."""

    REGION = "region"
    CLOCK = "clock"
    KEY = "key"
    ACCOUNT = "account"
    POSITION_MODE = "position_mode"
    INSTRUMENT = "instrument"
    FEES = "fees"
    EQUITY = "equity"
    QUIET = "quiet"
    LEVERAGE = "leverage"
    ENTRY = "entry"
    DUPLICATE = "duplicate"
    WRONG_STOP = "wrong_stop"
    STOP_MOVED = "stop_moved"
    CLOSE = "close"
    CANCEL = "cancel"


READ_CARDS = (
    Card.REGION,
    Card.CLOCK,
    Card.KEY,
    Card.ACCOUNT,
    Card.POSITION_MODE,
    Card.INSTRUMENT,
    Card.FEES,
    Card.EQUITY,
)
"""Cards that change nothing, in the order they are asked."""
ORDER_CARDS = (
    Card.QUIET,
    Card.LEVERAGE,
    Card.ENTRY,
    Card.DUPLICATE,
    Card.WRONG_STOP,
    Card.STOP_MOVED,
    Card.CLOSE,
    Card.CANCEL,
)
"""Cards that trade, in the order they are asked."""

ASKS: Mapping[Card, tuple[Reason, Reason]] = {
    Card.REGION: (codes.CARD_REGION(), codes.CARD_REGION_WANTS()),
    Card.CLOCK: (codes.CARD_CLOCK(), codes.CARD_CLOCK_WANTS()),
    Card.KEY: (codes.CARD_KEY(), codes.CARD_KEY_WANTS()),
    Card.ACCOUNT: (codes.CARD_ACCOUNT(), codes.CARD_ACCOUNT_WANTS()),
    Card.POSITION_MODE: (codes.CARD_POSITION_MODE(), codes.CARD_POSITION_MODE_WANTS()),
    Card.INSTRUMENT: (codes.CARD_INSTRUMENT(), codes.CARD_INSTRUMENT_WANTS()),
    Card.FEES: (codes.CARD_FEES(), codes.CARD_FEES_WANTS()),
    Card.EQUITY: (codes.CARD_EQUITY(), codes.CARD_EQUITY_WANTS()),
    Card.QUIET: (codes.CARD_QUIET(), codes.CARD_QUIET_WANTS()),
    Card.LEVERAGE: (codes.CARD_LEVERAGE(), codes.CARD_LEVERAGE_WANTS()),
    Card.ENTRY: (codes.CARD_ENTRY(), codes.CARD_ENTRY_WANTS()),
    Card.DUPLICATE: (codes.CARD_DUPLICATE(), codes.CARD_DUPLICATE_WANTS()),
    Card.WRONG_STOP: (codes.CARD_WRONG_STOP(), codes.CARD_WRONG_STOP_WANTS()),
    Card.STOP_MOVED: (codes.CARD_STOP_MOVED(), codes.CARD_STOP_MOVED_WANTS()),
    Card.CLOSE: (codes.CARD_CLOSE(), codes.CARD_CLOSE_WANTS()),
    Card.CANCEL: (codes.CARD_CANCEL(), codes.CARD_CANCEL_WANTS()),
}
"""What each card asks, and what it expects."""


@dataclass(frozen=True, slots=True)
class CardResult:
    """What a card got."""

    card: Card
    passed: bool
    got: Reason

    @property
    def asks(self) -> Reason:
        return ASKS[self.card][0]

    @property
    def expects(self) -> Reason:
        return ASKS[self.card][1]


NOT_ASKED = codes.CARD_NOT_ASKED()


def not_asked(cards: Collection[Card], results: Collection[CardResult]) -> tuple[CardResult, ...]:
    """A result, not passed, for each of *cards* that *results* lack: what was not asked proves nothing."""
    asked = {result.card for result in results}
    return tuple(CardResult(card, False, NOT_ASKED) for card in cards if card not in asked)


@dataclass(frozen=True, slots=True)
class PreflightRun:
    """
    The cards asked of one account in one go, by *version* of this program. *uid* is the account's at the venue, *host*
    the name that was called. Epoch ms.
    """

    venue: Venue
    uid: str
    host: str
    version: str
    symbol: str
    started_ms: int
    results: tuple[CardResult, ...]

    def passed(self, cards: Collection[Card]) -> bool:
        """Whether each of *cards* was asked of the real venue and passed."""
        good = {result.card for result in self.results if result.passed}
        return is_bybits(self.host) and set(cards) <= good

    @property
    def is_flawless(self) -> bool:
        """Whether nothing that was asked failed, whoever answered."""
        return bool(self.results) and all(result.passed for result in self.results)


def preflight_link(installation: str, run_ms: int, leg: Leg, seq: int) -> str:
    """
    The order_link_id of one intent of the run that began at *run_ms*: the same intent has the same id for ever.

    It is no id of `lib.domain.order`: an account that trades here takes it for somebody else's, and enters nothing
    beside it.
    """
    return f"pf{installation}-{base36(run_ms)}-{leg}{base36(seq)}"


@dataclass(frozen=True, slots=True)
class Intent:
    """An order of a preflight as it is written down before it is sent. *signed_ts* epoch ms."""

    link: str
    symbol: str
    side: Side
    qty: Decimal
    reduce_only: bool
    run_ms: int
    signed_ts: int


def card_order(venue: Venue, uid: str, intent: Intent, limit: Decimal, stop: Decimal, target: Decimal) -> Order:
    """*intent* as an order to sign; prices 0 on a close."""
    return Order(
        id=0,
        account_id=0,
        user_id=0,
        uid=uid,
        venue=venue,
        symbol=intent.symbol,
        t_ms=intent.run_ms,
        leg="x" if intent.reduce_only else "e",
        seq=0,
        order_link_id=intent.link,
        state=OrderState.PLANNED,
        side=intent.side,
        qty=intent.qty,
        limit_price=limit,
        ref_price=ZERO,
        stop_loss=stop,
        take_profit=target,
        leverage=1,
        reduce_only=intent.reduce_only,
        key_version=0,
        settings_version=0,
    )
