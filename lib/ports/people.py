"""
People, their sessions, accounts and keys (synchronous: forms, set-up, the demo), one transaction a method.
"""

from typing import Protocol

from lib.domain.account import AccountSettings, Colours, Venue
from lib.domain.account_records import ActiveAccount, NewAccount
from lib.domain.command import Command
from lib.domain.pace import Pace
from lib.domain.platform_settings import Invite
from lib.domain.session import Login, NewSession, SessionRow


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


class CommandQueue(Protocol):
    """The web's half of the `commands` table, synchronous."""

    def ask(self, wish: Command, every_ms: int) -> int:
        """
        Put *wish* (its id is ignored) unless the person asked for that kind less than *every_ms* ago.

        The wait in ms; 0 = it was put. ValueError for no such person.
        """
        ...
