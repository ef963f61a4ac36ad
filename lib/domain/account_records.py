"""
An account as each side sees it: the trader, the form that adds one, the page that shows one, the paper exchange.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from lib.domain.account import AccountSettings, Doubt, Slot, Venue
from lib.domain.api_key import ApiKey


class Asking(Protocol):
    """What of an account makes its prompt."""

    @property
    def symbol(self) -> str: ...

    @property
    def settings(self) -> AccountSettings: ...

    @property
    def is_guest(self) -> bool: ...

    @property
    def language(self) -> str:
        """Of the owner's pages, "ko" or "en"."""
        ...


@dataclass(frozen=True, slots=True)
class AskingAccount:
    """`Asking`, of an account nobody trades with here."""

    symbol: str
    settings: AccountSettings
    is_guest: bool
    language: str


@dataclass(frozen=True, slots=True)
class AccountSymbol:
    """
    One symbol of an account: the signed quantity our fills add up to there. *traded* False = its owner took it off: no
    entries, and what is open is guarded until it is closed.
    """

    symbol: str
    symbol_no: int
    booked_qty: Decimal
    traded: bool = True


@dataclass(frozen=True, slots=True)
class TraderAccount:
    """
    An account as the trader sees it. *auto_since* is when auto-trading was last switched on, epoch ms.

    It is seen on one of its *symbols*: *symbol*, *symbol_no*, *booked_qty* and *traded* are of that one, everything
    else is the whole account's. The ledger's roster shows each account once, on its first symbol.
    """

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
    """L3 of this account: no entries, and our part of its position is closed."""
    switched_ms: int = 0
    """
    When the account's switches were last thrown; *proven_ms*: when it was proved stopped after that (0 = not yet).
    """
    proven_ms: int = 0
    paused_by: str = ""
    """Who switched trading off: owner, operator or system; "" = trading is on."""
    is_guest: bool = False
    doubts: tuple[Doubt, ...] = ()
    """What the venue did not tell or set when the account's key was entered."""
    language: str = "ko"
    """The language of the owner's pages, "ko" or "en": the analyst gives its reason in that language."""
    traded: bool = True
    symbols: tuple[AccountSymbol, ...] = ()
    """In their fixed order; () = there is the one it is seen on."""

    @property
    def slot(self) -> Slot:
        """Where the position of the symbol it is seen on may be open."""
        return self.account_id, self.symbol

    @property
    def views(self) -> "tuple[TraderAccount, ...]":
        """The account on each of its symbols, in their fixed order."""
        return tuple(map(self._seen_on, self.symbols)) if len(self.symbols) > 1 else (self,)

    def on(self, symbol: str) -> "TraderAccount | None":
        """The account on that symbol; None when it is none of its own."""
        return next((view for view in self.views if view.symbol == symbol), None)

    def _seen_on(self, one: AccountSymbol) -> "TraderAccount":
        if one.symbol == self.symbol:
            return self
        return replace(self, symbol=one.symbol, symbol_no=one.symbol_no, booked_qty=one.booked_qty, traded=one.traded)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """
    A person's account before it is stored. Our books begin at *opened_ms* (epoch ms) with the venue's wallet at
    *start_balance* USDT; executions before that moment are not ours.
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


@dataclass(frozen=True, slots=True)
class ActiveAccount:
    """A person's active account as forms see it. *has_key* is False once the account's key was deleted."""

    account_id: int
    venue: Venue
    feed: str
    uid: str
    symbol: str
    key_version: int
    trading_enabled: bool
    has_key: bool


@dataclass(frozen=True, slots=True)
class PaperAccount:
    """A fresh account at the simulator."""

    uid: str
    key: ApiKey


@dataclass(frozen=True, slots=True)
class AccountReading:
    """An exchange account before it is registered: USDT *balance*, link ids of its recent and working orders."""

    balance: Decimal
    links: tuple[str, ...]
