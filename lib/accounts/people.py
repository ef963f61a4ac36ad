"""
Register, sign in, sign out, and who a session token belongs to.

Sessions live on the server: 256 random bits in the browser's cookie, their sha256 in the database, gone at once when
closed. A wrong password, an unknown e-mail and a person without a password are one answer at one speed. Tries are paced
per person and per address, counted before the hash runs; a wait is a delay, never a lock. A browser that signed in
before has a tally of its own, so that strangers who guess keep nobody out of their own browser. A guest is a person
without a password: with their last session they are gone, trading included. All methods are synchronous and safe from
any thread; *Retry* when the database is away or too many people sign in at once.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

from lib import log
from lib.accounts.acts import act
from lib.accounts.beside import Work, at_once
from lib.accounts.doors import NOT_INVITED, Doors
from lib.accounts.entrance import (
    LONGEST_TOKEN,
    PER_ADDRESS,
    PER_PERSON,
    Entrance,
    PeopleStores,
    network,
    person_of,
    sha256,
    spelled,
)
from lib.accounts.guests import Guests
from lib.accounts.notes import note_from, note_of
from lib.accounts.rules import email_refusal, is_findable, password_refusal
from lib.accounts.second_factor import SecondFactor
from lib.accounts.web import Origin, Refusal, SessionUser, SignedIn
from lib.clock import Clock
from lib.domain.account import Colours, Numbers, Theme
from lib.domain.platform_settings import Invite
from lib.domain.session import ABSOLUTE_MS, Login, is_over
from lib.domain.spelling import normal_email
from lib.domain.time_zones import time_zone
from lib.domain.trail import KEPT_MS, TrailEvent
from lib.ports.people import InviteRefused

TOUCH_MS = 60_000
"""A session's last use is written at most this often, and beside the request: nobody waits for it."""
TALLY_MS = 7 * 24 * 3_600_000
BROWSER_MS = 180 * 24 * 3_600_000
"""A browser that was not used to sign in for this long is forgotten."""


LANGUAGES = ("ko", "en")

_UNKNOWN = Refusal("refuse.credentials")
_TOO_MANY = Refusal("refuse.wait.person")
_log = log.get("people")


class People:
    """Everything about who somebody is; what they may then do is the trading desk's."""

    def __init__(
        self,
        stores: PeopleStores,
        clock: Clock,
        open_paper: Callable[[int], Refusal | None],
        demo_user_id: Callable[[], int | None],
        *,
        doors: Doors,
        beside: Callable[[Work], None] = at_once,
    ) -> None:
        self._stores = stores
        self._clock = clock
        self._open_paper = open_paper
        self._demo_user_id = demo_user_id
        self._beside = beside
        self._entrance = Entrance(stores, clock)
        self._doors = doors
        self._factor = SecondFactor(stores.factors, stores.lock)
        self._guests = Guests(stores, clock, open_paper, doors)

    # --- coming in ------------------------------------------------------------------------------------------------

    def register(
        self, email: str, password: str, *, accepted_risk: bool, origin: Origin, locale: str = "ko", code: str = ""
    ) -> SignedIn | Refusal:
        """
        A new person with a paper account (when one can be had now), signed in.

        *code* is the invitation they typed, looked at only where one is asked for.
        """
        email = normal_email(email)
        if refusal := _form_refusal(email, password, accepted_risk) or self._entrance.paced_newcomer(origin):
            return refusal
        invite = self._doors.registration(code)
        if isinstance(invite, Refusal):
            return invite
        user_id = self._added(email, self._stores.hasher.hash(password), spelled(locale), invite)
        if isinstance(user_id, Refusal):
            return user_id
        if refusal := self._open_paper(user_id):
            # the person stands; the dashboard offers the account again
            _log.warning("register.no_paper_account", user_id=user_id, why=refusal.key)
        begun = self._entrance.begin(user_id, origin, TrailEvent.REGISTERED)
        return self._entrance.remembered(begun)

    def sign_in(
        self, email: str, password: str, *, origin: Origin, browser: str | None = None, code: str = ""
    ) -> SignedIn | Refusal:
        """
        The person whose password this is, and whose second factor *code* is if they have one; every other case is one
        refusal, but in a browser of the person's own, where a missing code is asked for.

        *browser* is the token this browser got when somebody last signed in with it.
        """
        email, address = normal_email(email), f"address:{network(origin.ip)}"
        # the address first: a flood from one place does not raise the tallies of the people it tries
        if wait := self._entrance.paced((address, PER_ADDRESS)):
            return wait
        login = self._stores.logins.find(email) if is_findable(email) else None
        own = login is not None and self._is_known(browser, login)
        tally = f"browser:{sha256(browser or '')}" if own else _of_person(email, login)
        if wait := self._entrance.paced((tally, PER_PERSON)):
            # to the second only where the person themselves has signed in: whoever guesses could time their guesses
            return wait if own else _TOO_MANY
        stored = login.password_hash if login and login.password_hash.startswith("$") else None
        # a person without a password costs the same hash as any other
        matches = self._stores.hasher.verify(stored, password)
        passes = self._passes(login if matches else None, code, origin)
        if login is None or not matches or not passes:
            _log.info("sign_in.refused", origin=network(origin.ip))
            return self._refused(login, matches=matches, own=own, origin=origin)
        begun = self._begun(login, password, origin)
        if begun is None:
            return _UNKNOWN
        now = self._clock.now_ms()
        self._stores.throttles.forgive(tally, PER_PERSON, now)
        self._stores.throttles.forgive(address, PER_ADDRESS, now)
        return self._entrance.remembered(begun, browser if own else None)

    def try_paper(self, *, accepted_risk: bool, origin: Origin, locale: str = "ko") -> SignedIn | Refusal:
        """One click: a guest without a password and a paper account, for as long as this browser stays signed in."""
        return self._guests.try_paper(accepted_risk=accepted_risk, origin=origin, locale=locale)

    @act
    def keep_guest(
        self, user: SessionUser, email: str, password: str, *, origin: Origin, code: str = ""
    ) -> SignedIn | Refusal:
        """As `Guests.keep`."""
        return self._guests.keep(user, email, password, origin=origin, code=code)

    def open_demo(self, *, origin: Origin) -> SignedIn | Refusal:
        """A read-only look at this feed's labelled demo person."""
        if wait := self._entrance.paced((f"look:{network(origin.ip)}", PER_ADDRESS)):
            return wait
        user_id = self._demo_user_id()
        return Refusal("refuse.no_demo") if user_id is None else self._entrance.begin_looking(user_id, origin)

    # --- being inside ---------------------------------------------------------------------------------------------

    def user_of(self, token: str | None) -> SessionUser | None:
        """Who *token* belongs to now; None for no, a closed, an expired or an invented one."""
        if not token or len(token) > LONGEST_TOKEN:
            return None
        key = sha256(token)
        row = self._stores.sessions.find(key)
        now = self._clock.now_ms()
        if row is None or is_over(row.created_ms, row.seen_ms, now):
            return None
        if now - row.seen_ms >= TOUCH_MS:
            self._beside(lambda: self._stores.sessions.touch(key, now))
        return person_of(row)

    def sign_out(self, token: str | None) -> None:
        """End the session of *token*, for every process at once; a guest's last one ends the guest."""
        if token and len(token) <= LONGEST_TOKEN:
            self._stores.sessions.close(sha256(token))
            self._guests.end_gone()

    @act
    def sign_out_everywhere(self, user: SessionUser) -> Refusal | None:
        """End every session of a person, and forget the browsers they signed in with."""
        note = note_of(user, TrailEvent.ALL_ENDED, self._clock.now_ms())
        self._stores.sessions.close_all(user.user_id, note=note)
        self._stores.browsers.forget_all(user.user_id)
        self._guests.end_gone()
        return None

    @act
    def change_looks(self, user: SessionUser, language: str, colours: Colours) -> Refusal | None:
        """The language and the colours of every page of the person, in this browser and any other."""
        if language not in LANGUAGES or colours not in get_args(Colours):
            return Refusal("refuse.field", field="language")
        self._stores.logins.change_looks(user.user_id, language, colours)
        return None

    @act
    def change_zone(self, user: SessionUser, name: str) -> Refusal | None:
        """The time zone of every page and file of the person, an IANA name; "" = as the language has it."""
        if name and time_zone(name) is None:
            return Refusal("refuse.field", field="time_zone")
        self._stores.logins.change_zone(user.user_id, name)
        return None

    @act
    def change_theme(self, user: SessionUser, theme: Theme) -> Refusal | None:
        """Whether every page of the person is light, dark, or as the device has it."""
        if theme not in get_args(Theme):
            return Refusal("refuse.field", field="theme")
        self._stores.logins.change_theme(user.user_id, theme)
        return None

    @act
    def change_numbers(self, user: SessionUser, numbers: Numbers) -> Refusal | None:
        """How every page of the person writes numbers."""
        if numbers not in get_args(Numbers):
            return Refusal("refuse.field", field="numbers")
        self._stores.logins.change_numbers(user.user_id, numbers)
        return None

    def tidy(self) -> None:
        """Forget sessions, browsers, tallies and notes that mean nothing any more, and end guests who are gone."""
        now = self._clock.now_ms()
        self._stores.sessions.drop_unseen(now - ABSOLUTE_MS)
        self._guests.end_gone()
        self._stores.browsers.drop_unseen(now - BROWSER_MS)
        self._stores.throttles.drop_older(now - TALLY_MS)
        self._stores.trail.drop_older(now - KEPT_MS)

    # --- the parts ------------------------------------------------------------------------------------------------

    def _begun(self, login: Login, password: str, origin: Origin) -> SignedIn | None:
        """
        A session by *password*, verified against the hash of *login*; None when that is the password no more.

        Hashing takes its time. Where the hash was changed meanwhile, the password is verified once more, because
        another sign-in of the same person may have renewed it.
        """
        if begun := self._entrance.begin_verified(self._rehashed(login, password), origin):
            return begun
        now = self._stores.logins.by_id(login.user_id)
        same = now is not None and (now.authenticator is None or login.authenticator is not None)
        if now is None or not same or not self._stores.hasher.verify(now.password_hash, password):
            return None
        return self._entrance.begin_verified(now, origin)

    def _rehashed(self, login: Login, password: str) -> Login:
        if not self._stores.hasher.needs_rehash(login.password_hash):
            return login
        renewed = self._stores.hasher.hash(password)
        kept = self._stores.logins.change_hash(login.user_id, renewed, verified=login.password_hash)
        return replace(login, password_hash=renewed) if kept else login

    def _added(self, email: str, hashed: str, locale: str, invite: Invite | None) -> int | Refusal:
        logins, now = self._stores.logins, self._clock.now_ms()
        try:
            if invite is None:
                return logins.add(email, hashed, locale=locale, risk_accepted_ms=now)
            return logins.add_invited(email, hashed, locale=locale, risk_accepted_ms=now, invite=invite)
        except InviteRefused:
            return NOT_INVITED
        except ValueError:
            return Refusal("refuse.email.taken")

    def _passes(self, login: Login | None, code: str, origin: Origin) -> bool:
        """Whether *code* is the second factor of *login*; a code of nobody costs the same question to the store."""
        if login is not None and login.authenticator is None:
            return True
        user_id, known = (login.user_id, login.authenticator) if login else (0, None)
        note = note_from(user_id, TrailEvent.RECOVERY_USED, self._clock.now_ms(), origin, network(origin.ip))
        return self._factor.passes(user_id, known, code, note)

    def _refused(self, login: Login | None, *, matches: bool, own: bool, origin: Origin) -> Refusal:
        if login is not None and matches:
            # whoever has the password without the code is news to the owner, from wherever they come
            self._note(login.user_id, TrailEvent.CODE_FAILED, origin)
            return Refusal("refuse.code") if own else _UNKNOWN
        if login is not None and own:
            # from a browser of theirs; strangers' guesses would drown the rest
            self._note(login.user_id, TrailEvent.SIGN_IN_FAILED, origin)
        return _UNKNOWN

    def _note(self, user_id: int, event: TrailEvent, origin: Origin) -> None:
        # beside the answer: nobody can tell by its time that it was written
        note = note_from(user_id, event, self._clock.now_ms(), origin, network(origin.ip))
        self._beside(lambda: self._stores.trail.write(note))

    def _is_known(self, browser: str | None, login: Login) -> bool:
        """Whether that person has signed in with this browser before."""
        if not browser or len(browser) > LONGEST_TOKEN:
            return False
        return self._stores.browsers.owner(sha256(browser)) == login.user_id


def _of_person(email: str, login: Login | None) -> str:
    """A person is tallied by who they are: however many spellings a store takes for theirs, they are one tally."""
    return f"user:{login.user_id}" if login else f"person:{sha256(email)}"


def _form_refusal(email: str, password: str, accepted_risk: bool) -> Refusal | None:
    if not accepted_risk:
        return Refusal("refuse.risk")
    return email_refusal(email) or password_refusal(password, email)
