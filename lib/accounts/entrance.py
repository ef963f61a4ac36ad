"""
What every way in shares: the stores, the pace of tries, and how a session begins.

Tokens are 256 random bits, in the browser alone; the stores keep their sha256.
"""

import hashlib
import ipaddress
import secrets
from dataclasses import dataclass

from lib import log
from lib.accounts.notes import note_from
from lib.accounts.web import Origin, Refusal, SessionUser, SignedIn
from lib.clock import Clock
from lib.domain.pace import Pace
from lib.domain.session import Login, NewSession, SessionRow
from lib.domain.trail import TrailEvent
from lib.ports.people import Browsers, Logins, Sessions, Throttles, Trail
from lib.ports.safety import SecondFactors
from lib.ports.secrets import Lock, PasswordHasher

PER_PERSON = Pace(free=3, first_ms=5_000, longest_ms=300_000, halving_ms=900_000)
PER_ADDRESS = Pace(free=20, first_ms=2_000, longest_ms=120_000, halving_ms=900_000)
NEW_PEOPLE = Pace(free=10, first_ms=30_000, longest_ms=3_600_000, halving_ms=1_800_000)
LONGEST_TOKEN = 100

_log = log.get("people")


@dataclass(frozen=True, slots=True)
class PeopleStores:
    """What `People` and `Guests` keep things in."""

    logins: Logins
    sessions: Sessions
    browsers: Browsers
    throttles: Throttles
    hasher: PasswordHasher
    trail: Trail
    factors: SecondFactors
    lock: Lock


class Entrance:
    """Counts tries and begins sessions."""

    def __init__(self, stores: PeopleStores, clock: Clock) -> None:
        self._stores = stores
        self._clock = clock

    def paced(self, *keys: tuple[str, Pace]) -> Refusal | None:
        """Count a try under every key, or say how long to wait; a try counted under one stays counted."""
        now = self._clock.now_ms()
        for key, pace in keys:
            if wait_ms := self._stores.throttles.attempt(key, pace, now):
                return Refusal("refuse.wait", seconds=-(-wait_ms // 1000))
        return None

    def paced_newcomer(self, origin: Origin) -> Refusal | None:
        """Count one more new person from that address, or say how long to wait."""
        return self.paced((f"new:{network(origin.ip)}", NEW_PEOPLE))

    def begin(
        self, user_id: int, origin: Origin, event: TrailEvent = TrailEvent.SIGNED_IN, *, proved: bool = True
    ) -> SignedIn:
        """A session of *user_id*, noted as *event*; ValueError when there is no such person any more."""
        return _begun(self._begin(user_id, origin, event, read_only=False, proved=proved))

    def begin_verified(self, login: Login, origin: Origin, event: TrailEvent = TrailEvent.SIGNED_IN) -> SignedIn | None:
        """As `begin`, for who proved to be *login*; None when the person is gone or the password another by now."""
        return self._begin(login.user_id, origin, event, read_only=False, proved=True, verified=login.password_hash)

    def begin_looking(self, user_id: int, origin: Origin) -> SignedIn:
        """A session that can only look, and is noted nowhere."""
        return _begun(self._begin(user_id, origin, None, read_only=True, proved=False))

    def _begin(
        self,
        user_id: int,
        origin: Origin,
        event: TrailEvent | None,
        *,
        read_only: bool,
        proved: bool,
        verified: str | None = None,
    ) -> SignedIn | None:
        token = secrets.token_urlsafe(32)
        key, now = sha256(token), self._clock.now_ms()
        agent = origin.user_agent[:200]
        note = None if event is None else note_from(user_id, event, now, origin, network(origin.ip))
        new = NewSession(key, user_id, read_only, origin.ip[:45], agent, now, now if proved else 0)
        opened = self._stores.sessions.open(new, note, verified=verified)
        row = self._stores.sessions.find(key) if opened else None
        if row is None:
            return None
        _log.info("session.began", user_id=user_id, read_only=read_only)
        return SignedIn(token, person_of(row))

    def remembered(self, signed_in: SignedIn, browser: str | None = None) -> SignedIn:
        """*signed_in* with the token by which this browser will be known as the person's: *browser*, or a new one."""
        token = browser or secrets.token_urlsafe(32)
        self._stores.browsers.remember(sha256(token), signed_in.user.user_id, self._clock.now_ms())
        return SignedIn(signed_in.token, signed_in.user, token)


def _begun(signed_in: SignedIn | None) -> SignedIn:
    if signed_in is None:
        raise ValueError("a session needs a person who is not deleted")
    return signed_in


def person_of(row: SessionRow) -> SessionUser:
    """The person of a stored session."""
    return SessionUser(
        row.user_id,
        row.email,
        row.locale,
        row.is_demo,
        row.read_only,
        network(row.ip),
        row.colours,
        row.is_guest,
        row.session_id,
        row.user_agent,
        row.proved_ms,
        row.time_zone,
        row.theme,
        row.numbers,
    )


def spelled(locale: str) -> str:
    """ "en" or "ko", from whatever a browser calls its language."""
    return "en" if locale.lower().startswith("en") else "ko"


def sha256(text: str) -> str:
    """Hex; of any text, lone surrogates included."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def network(ip: str) -> str:
    """Who shares a tally: an IPv4 address, or an IPv6 /64, which is one customer's."""
    if ":" not in ip:
        return ip
    return _first_64_bits(ip)


def _first_64_bits(ip: str) -> str:
    try:
        return str(ipaddress.IPv6Network((ip.partition("%")[0], 64), strict=False))
    except ValueError:
        return ip[:45]
