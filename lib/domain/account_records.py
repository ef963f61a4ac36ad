"""
An account as each side sees it: the trader, the form that adds one, the page that shows one, the paper exchange.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from lib.domain.account import AccountSettings, Doubt, Venue
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
