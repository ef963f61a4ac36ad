"""
Passkeys: registered by who is signed in, then a way in of their own and a proof whose session it is.

A challenge is 256 random bits, good once, for two minutes, for what it was made for; it lives in the memory of this
process, since the web is one. Whatever is wrong with an answer is one refusal: an unknown key, another's, a used
challenge.
"""

import base64
import json
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass

from lib.accounts.acts import act
from lib.accounts.entrance import PER_ADDRESS, Entrance, PeopleStores, network, sha256
from lib.accounts.notes import note_of
from lib.accounts.refusal import Refusal
from lib.accounts.step_up import unproved
from lib.accounts.web import Origin, SessionUser, SignedIn
from lib.clock import Clock
from lib.domain.passkey import MOST_PASSKEYS, NAME_CHARS, RelyingParty
from lib.domain.session import Login
from lib.domain.trail import TrailEvent
from lib.ports.safety import Passkeys
from lib.ports.secrets import PasskeyCheck

CHALLENGE_MS = 120_000
MOST_CHALLENGES = 5_000
_WRONG = Refusal("refuse.passkey")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the browser hands to its authenticator, JSON of WebAuthn."""

    options: str


@dataclass(frozen=True, slots=True)
class _Waiting:
    user_id: int
    until_ms: int


class Challenges:
    """Those that wait for their answer; the oldest give way. Safe from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        self._holding = threading.Lock()

    def make(self, user_id: int) -> bytes:
        """A fresh one for that person, 0 = for whoever comes in."""
        challenge = secrets.token_bytes(32)
        with self._holding:
            self._waiting[_text(challenge)] = _Waiting(user_id, self._clock.now_ms() + CHALLENGE_MS)
            while len(self._waiting) > MOST_CHALLENGES:
                self._waiting.popitem(last=False)
        return challenge

    def take(self, challenge: str, user_id: int) -> bytes | None:
        """Use up the one written so, if it is that person's and young."""
        with self._holding:
            found = self._waiting.pop(challenge, None)
        if found is None or found.user_id != user_id or found.until_ms < self._clock.now_ms():
            return None
        return base64.urlsafe_b64decode(challenge + "=" * (-len(challenge) % 4))


class PasskeyDesk:
    """Synchronous and safe from any thread; *Retry* when the database is away."""

    def __init__(self, stores: PeopleStores, passkeys: Passkeys, check: PasskeyCheck, clock: Clock) -> None:
        self._stores = stores
        self._passkeys = passkeys
        self._check = check
        self._clock = clock
        self._entrance = Entrance(stores, clock)
        self._challenges = Challenges(clock)

    # --- one's own ------------------------------------------------------------------------------------------------

    @act
    def begin(self, user: SessionUser, place: RelyingParty) -> Asked | Refusal:
        """What a browser needs to make a passkey for this account."""
        if refusal := self._closed(user):
            return refusal
        known = self._passkeys.of_person(user.user_id)
        if len(known) >= MOST_PASSKEYS:
            return Refusal("refuse.passkey.many", most=MOST_PASSKEYS)
        challenge = self._challenges.make(user.user_id)
        ids = tuple(one.credential_id for one in known)
        return Asked(self._check.registration(place, challenge, f"user-{user.user_id}", user.email, ids))

    @act
    def add(self, user: SessionUser, place: RelyingParty, answer: str, name: str) -> Refusal | None:
        """Keep the passkey that *answer* shows, under *name*."""
        if refusal := self._closed(user):
            return refusal
        challenge = self._challenges.take(_challenge_in(answer), user.user_id)
        made = None if challenge is None else self._check.registered(place, challenge, answer)
        if made is None:
            return _WRONG
        note = note_of(user, TrailEvent.PASSKEY_ADDED, self._clock.now_ms(), name[:NAME_CHARS])
        added = self._passkeys.add(made, sha256(made.credential_id), name[:NAME_CHARS], note)
        return None if added else _WRONG

    @act
    def remove(self, user: SessionUser, passkey_id: int) -> Refusal | None:
        """Forget the person's passkey of that number."""
        if refusal := self._closed(user):
            return refusal
        note = note_of(user, TrailEvent.PASSKEY_REMOVED, self._clock.now_ms())
        return None if self._passkeys.remove(user.user_id, passkey_id, note) else Refusal("refuse.passkey.gone")

    @act
    def begin_proof(self, user: SessionUser, place: RelyingParty) -> Asked | Refusal:
        """What a browser needs to prove whose session this is."""
        return Asked(self._check.authentication(place, self._challenges.make(user.user_id)))

    @act
    def prove(self, user: SessionUser, place: RelyingParty, answer: str) -> Refusal | None:
        """Prove it by a passkey of the person's own, for the next five minutes."""
        found = self._shown(place, answer, user.user_id)
        if found is None or found.user_id != user.user_id:
            return _WRONG
        self._stores.sessions.prove(user.user_id, user.session_id, self._clock.now_ms())
        return None

    # --- coming in ------------------------------------------------------------------------------------------------

    def begin_sign_in(self, place: RelyingParty, origin: Origin) -> Asked | Refusal:
        """What a browser needs to sign somebody in: no name is asked for, the device knows whom."""
        if wait := self._entrance.paced((f"passkey-ask:{network(origin.ip)}", PER_ADDRESS)):
            return wait
        return Asked(self._check.authentication(place, self._challenges.make(0)))

    def sign_in(self, place: RelyingParty, answer: str, origin: Origin) -> SignedIn | Refusal:
        """The person whose passkey this is; it stands for password and second factor together."""
        tallies = [f"{kind}:{network(origin.ip)}" for kind in ("passkey", "passkey-ask")]
        if wait := self._entrance.paced((tallies[0], PER_ADDRESS)):
            return wait
        login = self._shown(place, answer, 0)
        begun = login and self._entrance.begin_verified(login, origin, TrailEvent.SIGNED_IN_PASSKEY)
        if not begun:
            return _WRONG
        for tally in tallies:
            self._stores.throttles.forgive(tally, PER_ADDRESS, self._clock.now_ms())
        return self._entrance.remembered(begun)

    # --- the parts ------------------------------------------------------------------------------------------------

    def _shown(self, place: RelyingParty, answer: str, user_id: int) -> Login | None:
        """Whose stored passkey *answer* was made with, its count moved on; None for whatever is wrong."""
        challenge = self._challenges.take(_challenge_in(answer), user_id)
        known = None if challenge is None else self._passkeys.find(sha256(_read(answer, "id")))
        if challenge is None or known is None:
            return None
        # read before the passkey is asked for again: a reset, which ends passkeys, is seen there or in the hash
        login = self._stores.logins.by_id(known.user_id)
        count = self._check.authenticated(place, challenge, answer, known)
        if count is None or not self._passkeys.used(known.id, count, self._clock.now_ms()):
            return None
        return login

    def _closed(self, user: SessionUser) -> Refusal | None:
        return Refusal("refuse.guest") if user.is_guest else unproved(user, self._clock.now_ms())


def _challenge_in(answer: str) -> str:
    """The challenge that the browser says it answers; "" when it says none."""
    try:
        client = json.loads(answer)["response"]["clientDataJSON"]
        told = json.loads(base64.urlsafe_b64decode(client + "=" * (-len(client) % 4)))["challenge"]
    except (ValueError, KeyError, TypeError):
        return ""
    return told if isinstance(told, str) else ""


def _read(answer: str, name: str) -> str:
    try:
        value = json.loads(answer)[name]
    except (ValueError, KeyError, TypeError):
        return ""
    return value if isinstance(value, str) else ""


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
