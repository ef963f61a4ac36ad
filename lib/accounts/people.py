"""
Register, sign in, sign out, and who a session token belongs to.

Sessions live on the server: 256 random bits in the browser's cookie, their sha256 in the database, gone at once when
closed. A wrong password, an unknown e-mail and a person without a password are one answer at one speed. Tries are paced
per person and per address, counted before the hash runs; a wait is a delay, never a lock. All methods are synchronous
and safe from any thread; *Retry* when the database is away or too many people sign in at once.
"""

import hashlib
import ipaddress
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from lib import log
from lib.accounts.acts import act
from lib.accounts.beside import Work, at_once
from lib.accounts.rules import OWN_DOMAIN, email_refusal, is_findable, password_refusal
from lib.accounts.web import Origin, Refusal, SessionUser, SignedIn
from lib.clock import Clock
from lib.domain.account import Colours
from lib.domain.pace import Pace
from lib.domain.spelling import normal_email
from lib.ports import Login, Logins, NewSession, PasswordHasher, SessionRow, Sessions, Throttles

ABSOLUTE_MS = 24 * 3_600_000
IDLE_MS = 2 * 3_600_000
TOUCH_MS = 60_000
"""A session's last use is written at most this often, and beside the request: nobody waits for it."""
TALLY_MS = 7 * 24 * 3_600_000

PER_PERSON = Pace(free=3, first_ms=5_000, longest_ms=300_000, halving_ms=900_000)
PER_ADDRESS = Pace(free=20, first_ms=2_000, longest_ms=120_000, halving_ms=900_000)
NEW_PEOPLE = Pace(free=10, first_ms=30_000, longest_ms=3_600_000, halving_ms=1_800_000)

LANGUAGES = ("ko", "en")

_UNKNOWN = Refusal("refuse.credentials")
_log = log.get("people")


@dataclass(frozen=True, slots=True)
class PeopleStores:
    """What `People` keeps things in."""

    logins: Logins
    sessions: Sessions
    throttles: Throttles
    hasher: PasswordHasher


class People:
    """Everything about who somebody is; what they may then do is the trading desk's."""

    def __init__(
        self,
        stores: PeopleStores,
        clock: Clock,
        open_paper: Callable[[int], Refusal | None],
        demo_user_id: Callable[[], int | None],
        *,
        beside: Callable[[Work], None] = at_once,
    ) -> None:
        self._stores = stores
        self._clock = clock
        self._open_paper = open_paper
        self._demo_user_id = demo_user_id
        self._beside = beside

    # --- coming in ------------------------------------------------------------------------------------------------

    def register(
        self, email: str, password: str, *, accepted_risk: bool, origin: Origin, locale: str = "ko"
    ) -> SignedIn | Refusal:
        """A new person with a paper account (when one can be had now), signed in."""
        email = normal_email(email)
        if refusal := _form_refusal(email, password, accepted_risk) or self._paced_newcomer(origin):
            return refusal
        hashed = self._stores.hasher.hash(password)
        try:
            user_id = self._stores.logins.add(
                email, hashed, locale=_locale(locale), risk_accepted_ms=self._clock.now_ms()
            )
        except ValueError:
            return Refusal("refuse.email.taken")
        if refusal := self._open_paper(user_id):
            # the person stands; the dashboard offers the account again
            _log.warning("register.no_paper_account", user_id=user_id, why=refusal.key)
        return self._begin(user_id, origin)

    def sign_in(self, email: str, password: str, *, origin: Origin) -> SignedIn | Refusal:
        """The person whose password this is; every other case is one refusal."""
        email = normal_email(email)
        login = self._stores.logins.find(email) if is_findable(email) else None
        person, address = _tally_of(login, email), f"address:{_network(origin.ip)}"
        # the address first: a flood from one place does not raise the tallies of the people it tries
        if wait := self._paced((address, PER_ADDRESS), (person, PER_PERSON)):
            return wait
        stored = login.password_hash if login and login.password_hash.startswith("$") else None
        # a person without a password costs the same hash as any other
        matches = self._stores.hasher.verify(stored, password)
        if login is None or not matches:
            _log.info("sign_in.refused", origin=_network(origin.ip))
            return _UNKNOWN
        now = self._clock.now_ms()
        self._stores.throttles.forgive(person, PER_PERSON, now)
        self._stores.throttles.forgive(address, PER_ADDRESS, now)
        if stored and self._stores.hasher.needs_rehash(stored):
            self._stores.logins.change_hash(login.user_id, self._stores.hasher.hash(password))
        return self._begin(login.user_id, origin)

    def try_paper(self, *, accepted_risk: bool, origin: Origin, locale: str = "ko") -> SignedIn | Refusal:
        """One click: a person without a password and a paper account, for as long as this browser stays signed in."""
        if not accepted_risk:
            return Refusal("refuse.risk")
        if wait := self._paced_newcomer(origin):
            return wait
        now = self._clock.now_ms()
        name = f"guest-{secrets.token_hex(5)}{OWN_DOMAIN}"
        user_id = self._stores.logins.add(name, "!", locale=_locale(locale), risk_accepted_ms=now)
        if refusal := self._open_paper(user_id):
            self._stores.logins.delete(user_id, self._clock.now_ms())
            return refusal
        return self._begin(user_id, origin)

    def open_demo(self, *, origin: Origin) -> SignedIn | Refusal:
        """A read-only look at this feed's labelled demo person."""
        if wait := self._paced((f"look:{_network(origin.ip)}", PER_ADDRESS)):
            return wait
        user_id = self._demo_user_id()
        return Refusal("refuse.no_demo") if user_id is None else self._begin(user_id, origin, read_only=True)

    # --- being inside ---------------------------------------------------------------------------------------------

    def user_of(self, token: str | None) -> SessionUser | None:
        """Who *token* belongs to now; None for no, a closed, an expired or an invented one."""
        if not token or len(token) > 100:
            return None
        key = _sha256(token)
        row = self._stores.sessions.find(key)
        now = self._clock.now_ms()
        if row is None or _expired(row, now):
            return None
        if now - row.seen_ms >= TOUCH_MS:
            self._beside(lambda: self._stores.sessions.touch(key, now))
        return _session_user(row)

    def sign_out(self, token: str | None) -> None:
        """End the session of *token*, for every process at once."""
        if token and len(token) <= 100:
            self._stores.sessions.close(_sha256(token))

    @act
    def sign_out_everywhere(self, user: SessionUser) -> Refusal | None:
        """End every session of a person."""
        self._stores.sessions.close_all(user.user_id)
        return None

    @act
    def change_looks(self, user: SessionUser, language: str, colours: Colours) -> Refusal | None:
        """The language and the colours of every page of the person, in this browser and any other."""
        if language not in LANGUAGES or colours not in get_args(Colours):
            return Refusal("refuse.field", field="language")
        self._stores.logins.change_looks(user.user_id, language, colours)
        return None

    def tidy(self) -> None:
        """Forget sessions and tallies that mean nothing any more."""
        now = self._clock.now_ms()
        self._stores.sessions.drop_unseen(now - ABSOLUTE_MS)
        self._stores.throttles.drop_older(now - TALLY_MS)

    # --- the parts ------------------------------------------------------------------------------------------------

    def _begin(self, user_id: int, origin: Origin, *, read_only: bool = False) -> SignedIn:
        token = secrets.token_urlsafe(32)
        key, now = _sha256(token), self._clock.now_ms()
        agent = origin.user_agent[:200]
        self._stores.sessions.open(NewSession(key, user_id, read_only, origin.ip[:45], agent, now))
        row = self._stores.sessions.find(key)
        if row is None:
            raise ValueError("a session needs a person who is not deleted")
        _log.info("session.began", user_id=user_id, read_only=read_only)
        return SignedIn(token, _session_user(row))

    def _paced_newcomer(self, origin: Origin) -> Refusal | None:
        return self._paced((f"new:{_network(origin.ip)}", NEW_PEOPLE))

    def _paced(self, *keys: tuple[str, Pace]) -> Refusal | None:
        """Count a try under every key, or say how long to wait; a try counted under one stays counted."""
        now = self._clock.now_ms()
        for key, pace in keys:
            if wait_ms := self._stores.throttles.attempt(key, pace, now):
                return Refusal("refuse.wait", seconds=-(-wait_ms // 1000))
        return None


def _form_refusal(email: str, password: str, accepted_risk: bool) -> Refusal | None:
    if not accepted_risk:
        return Refusal("refuse.risk")
    return email_refusal(email) or password_refusal(password, email)


def _session_user(row: SessionRow) -> SessionUser:
    return SessionUser(row.user_id, row.email, row.locale, row.is_demo, row.read_only, _network(row.ip), row.colours)


def _expired(row: SessionRow, now_ms: int) -> bool:
    return now_ms - row.created_ms >= ABSOLUTE_MS or now_ms - row.seen_ms >= IDLE_MS


def _tally_of(login: Login | None, email: str) -> str:
    """A person is tallied by who they are: however many spellings a store takes for theirs, they are one tally."""
    return f"user:{login.user_id}" if login else f"person:{_sha256(email)}"


def _locale(text: str) -> str:
    return "en" if text.lower().startswith("en") else "ko"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _network(ip: str) -> str:
    """Who shares a tally: an IPv4 address, or an IPv6 /64, which is one customer's."""
    if ":" not in ip:
        return ip
    return _first_64_bits(ip)


def _first_64_bits(ip: str) -> str:
    try:
        return str(ipaddress.IPv6Network((ip.partition("%")[0], 64), strict=False))
    except ValueError:
        return ip[:45]
