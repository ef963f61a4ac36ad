"""
People, their sessions, accounts and keys (synchronous: forms, set-up, the demo), one transaction a method.

A *note* given with an act is written to the person's trail in the transaction of the act, and only if it changed
something.
"""

from collections.abc import Sequence
from typing import Protocol

from lib.domain.account import AccountSettings, Colours, Numbers, Theme, Venue
from lib.domain.account_records import ActiveAccount, NewAccount
from lib.domain.command import Command
from lib.domain.pace import Pace
from lib.domain.platform_settings import Invite
from lib.domain.reason import Reason
from lib.domain.session import Login, NewSession, SessionRow
from lib.domain.trail import Note
from lib.domain.won_rates import WonRate


class Accounts(Protocol):
    """Users and their accounts, synchronous, one transaction a method. *ValueError* for input a form should refuse."""

    def add_user(self, email: str, password_hash: str, *, is_demo: bool = False) -> int:
        """The new user's id; ValueError when the e-mail is taken (compared lower-case, trimmed)."""
        ...

    def user_id(self, email: str) -> int | None: ...

    def add_account(self, new: NewAccount) -> int:
        """The new account's id; it becomes the person's active one. ValueError when (venue, uid) is taken."""
        ...

    def chosen(self, user_id: int) -> tuple[AccountSettings, int] | None:
        """The settings the person chose and their version; None for no such person."""
        ...

    def change_settings(
        self, user_id: int, settings: AccountSettings, version: int | None = None, note: Note | None = None
    ) -> bool:
        """
        False, and nothing changed, when the stored settings are no longer those of *version* (None = any version);
        settings that are equal already are not written and need no version.
        """
        ...

    def set_auto_trade(self, user_id: int, on: bool, now_ms: int, note: Note | None = None) -> None:
        """
        Throw the person's switch; *EvidenceLacking* where it is off and the active account waits for evidence to be
        switched on. What is on already stays on, and off is never refused.
        """
        ...

    def choose_symbols(self, user_id: int, symbols: Sequence[str], now_ms: int, note: Note | None = None) -> bool:
        """
        From now on the person's active account trades exactly *symbols*, in none of the others it enters; what is open
        there is guarded until it is closed. False without an active account; ValueError for no symbols at all.
        """
        ...


class EvidenceLacking(ValueError):
    """Auto-trading waits for evidence, or for its person's word to do without; *why*, for the person."""

    def __init__(self, why: Reason) -> None:
        super().__init__(why.code)
        self.why = why


class InviteRefused(ValueError):
    """There is no such invitation, or the invitation was used, or its time is over."""


class Logins(Protocol):
    """People as sign-in knows them. E-mails are compared exactly, in `normal_email`; deleted people are not found."""

    def add(self, email: str, password_hash: str, *, locale: str, risk_accepted_ms: int, is_guest: bool = False) -> int:
        """The new person's id; ValueError when the e-mail is taken."""
        ...

    def add_invited(self, email: str, password_hash: str, *, locale: str, risk_accepted_ms: int, invite: Invite) -> int:
        """
        As `add`, with *invite* used up in the same transaction: *InviteRefused* adds no person, a taken e-mail leaves
        the invitation unused.
        """
        ...

    def living_guests(self) -> int:
        """How many guests are not deleted."""
        ...

    def keep_guest(self, user_id: int, email: str, password_hash: str, invite: Invite | None = None) -> bool:
        """
        Make the guest a person who signs in; False when *user_id* is no guest (any more), ValueError when the e-mail is
        taken.

        With *invite*, the invitation is used up in the same transaction, or *InviteRefused* changes nothing.
        """
        ...

    def end_guests(self, now_ms: int) -> tuple[int, ...]:
        """
        Mark as deleted every guest without a living session (`lib.domain.session`); the user ids of those guests.

        A guest made within the last minute is left out: their first session may not be stored yet.
        """
        ...

    def find(self, email: str) -> Login | None: ...

    def by_id(self, user_id: int) -> Login | None: ...

    def change_hash(self, user_id: int, password_hash: str, *, verified: str) -> bool:
        """False, and nothing changed, when the stored hash is no longer *verified*, compared under the row's lock."""
        ...

    def change_password(self, user_id: int, password_hash: str, note: Note, besides: int = 0, *, verified: str) -> bool:
        """
        As `change_hash`, ending every session but the one of the number *besides*, every personal token and the bound
        chat, and forgetting all browsers.
        """
        ...

    def change_email(self, user_id: int, email: str, note: Note, besides: int = 0, *, verified: str) -> bool:
        """False as in `change_hash`; ValueError when the e-mail is taken. Ends and forgets as `change_password`."""
        ...

    def change_looks(self, user_id: int, locale: str, colours: Colours) -> None:
        """Store the language and colours of the person's pages, for every browser."""
        ...

    def change_zone(self, user_id: int, name: str) -> None:
        """Store the time zone of the person's pages, "" = as the language has it."""
        ...

    def change_theme(self, user_id: int, theme: Theme) -> None:
        """Store whether the person's pages are light or dark."""
        ...

    def change_numbers(self, user_id: int, numbers: Numbers) -> None:
        """Store how the person's pages write numbers."""
        ...

    def delete(self, user_id: int, now_ms: int) -> None:
        """Mark the person as deleted: they sign in no more and trade no more; their rows stay."""
        ...


class Sessions(Protocol):
    """Server-side sessions. A closed session ends at once for every process. *Retry* when the database is away."""

    def open(self, new: NewSession, note: Note | None = None, *, verified: str | None = None) -> bool:
        """
        False, and no session, when the person's stored hash is no longer *verified* (None = whatever it is), compared
        under the row's lock: a password that changed while it was checked opens nothing.
        """
        ...

    def find(self, token_sha256: str) -> SessionRow | None:
        """The session, unless the session was closed or its person deleted; expiry is the caller's rule."""
        ...

    def touch(self, token_sha256: str, now_ms: int) -> None:
        """Store that the session was used at *now_ms*."""
        ...

    def prove(self, user_id: int, session_id: int, now_ms: int) -> None:
        """Store that the session proved at *now_ms* whose it is."""
        ...

    def close(self, token_sha256: str) -> None: ...

    def close_one(self, user_id: int, session_id: int, note: Note) -> bool:
        """The person's session of that number; False when the person has no such session."""
        ...

    def close_all(self, user_id: int, *, besides: int = 0, note: Note | None = None) -> None:
        """Every session of that person but the one of the number *besides*."""
        ...

    def drop_unseen(self, before_ms: int) -> int:
        """Delete the sessions last used before *before_ms*; how many there were."""
        ...


class Browsers(Protocol):
    """Browsers a person signed in with before, by the sha256 of a token that only the browser has."""

    def remember(self, token_sha256: str, user_id: int, now_ms: int) -> None:
        """Store that the browser is the person's, used at *now_ms*; of one person the newest 20 are kept."""
        ...

    def owner(self, token_sha256: str) -> int | None:
        """The user id of the person who signed in with the browser; None for an unknown browser."""
        ...

    def forget_all(self, user_id: int) -> None: ...

    def drop_unseen(self, before_ms: int) -> int:
        """Delete the browsers last used before *before_ms*; how many there were."""
        ...


class Throttles(Protocol):
    """Tallies of tries by key, one row each, counted before the try so that parallel tries cannot slip through."""

    def attempt(self, key: str, pace: Pace, now_ms: int) -> int:
        """0 = go on, and the try is counted; else the ms to wait, and the try is not counted."""
        ...

    def forgive(self, key: str, pace: Pace, now_ms: int) -> None:
        """The last try was the person's own: take that try off the tally."""
        ...

    def drop_older(self, before_ms: int) -> int:
        """Delete the tallies last counted before *before_ms*; how many there were."""
        ...


class Trail(Protocol):
    """Notes for the trails that people read of their own accounts."""

    def write(self, note: Note) -> None:
        """A note about what changes nothing else, such as a refused sign-in."""
        ...

    def drop_older(self, before_ms: int) -> int:
        """Delete the notes from before *before_ms*; how many there were."""
        ...


class AccountTaken(ValueError):
    """The exchange account is registered already, by this person or another."""


class StoppedByOperator(ValueError):
    """An operator stopped the account: its owner cannot resume it."""


class AccountInUse(ValueError):
    """The account still has an open order or position."""


class Keyring(Protocol):
    """The sealed keys of people's accounts, one transaction a method. *ValueError* for no such person."""

    def active(self, user_id: int) -> ActiveAccount | None: ...

    def next_version(self, user_id: int, venue: Venue, feed: str, uid: str) -> int:
        """The key_version a new key of that account would be sealed with: 1 for an account that is not registered."""
        ...

    def traded(self, user_id: int, venue: Venue, feed: str, uid: str) -> tuple[str, ...]:
        """The symbols that account of the person's trades, as they were chosen; none for one that is not registered."""
        ...

    def own_uid(self, user_id: int, account_id: int, venue: Venue, feed: str) -> str | None:
        """The uid of that account if the account is the person's; None for no account, *AccountTaken* for another's."""
        ...

    def put(self, new: NewAccount, note: Note | None = None) -> int:
        """
        Add the account, or give the person's own (venue, feed, uid) the key of *new*; the account's id.

        The account becomes the active one, with auto-trading off when another account was active; the key it replaces
        is wiped. A new account begins with trading on, a known account keeps its switches. *AccountTaken* when the
        account is another person's, *AccountInUse* when the account given up is in use; *Retry* when another key was
        put in between.
        """
        ...

    def remove(self, user_id: int, note: Note | None = None) -> bool:
        """
        Wipe every key of the active account, end the account's trading; False without an active account.

        *AccountInUse* while the account has an open order or position: only the key can still end them.
        """
        ...

    def set_trading(self, user_id: int, on: bool, note: Note | None = None) -> bool:
        """
        The owner's own pause switch (L1) of the active account; switching on clears the reason of the pause. False
        without an active account, *StoppedByOperator* when an operator stopped the account.
        """
        ...

    def flatten(self, user_id: int, note: Note | None = None) -> bool:
        """The owner's L3 of the active account: no entries, and our part closed. False without an active account."""
        ...


class OwnLocks(Protocol):
    """A person's own risk locks, synchronous, one transaction a method."""

    def end(self, user_id: int, kind: str, note: Note | None = None) -> bool:
        """
        As `Ledger.unlock` for the person's active account; False when no such lock holds. ValueError: no such person.
        """
        ...


class WonBook(Protocol):
    """A person's own won for one USDT, synchronous, one transaction a method."""

    def replace(self, user_id: int, before: Sequence[WonRate], after: Sequence[WonRate]) -> bool:
        """
        Keep *after* in the place of *before*; False, and nothing is changed, where *before* is not what stands.

        Both by day, each day once. ValueError: no such person.
        """
        ...


class CommandQueue(Protocol):
    """The web's half of the `commands` table, synchronous."""

    def ask(self, wish: Command, every_ms: int, note: Note | None = None) -> int:
        """
        Put *wish* (its id is ignored), and *note* with it, unless the person put a command of that kind about the same
        symbol less than *every_ms* ago, or very many about others.

        The wait in ms; 0 = the command was put. ValueError for no such person.
        """
        ...
