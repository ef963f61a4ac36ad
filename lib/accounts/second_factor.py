"""
The second factor of a sign-in: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for who lost it.

The secret is locked at rest and told once, to be scanned; a code is good for its own thirty seconds and one step
beside, and never twice. A recovery code is good once. Counting tries is the caller's.
"""

import hmac
from dataclasses import dataclass

import pyotp

from lib.accounts.invites import code_sha256, new_code
from lib.domain.second_factor import DRIFT, RECOVERY_CODES, STEP_S, Authenticator
from lib.domain.trail import Note
from lib.ports.safety import SecondFactors
from lib.ports.secrets import Lock

ISSUER = "Maemae"
DIGITS = 6
LONGEST_CODE = 40


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A fresh secret, for the owner's browser alone: as text, and as the address an authenticator scans."""

    secret: str
    uri: str

    def __repr__(self) -> str:
        return "Enrolment()"


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """Fresh ones; they exist here and in the owner's browser, nowhere else."""

    codes: tuple[str, ...]

    def __repr__(self) -> str:
        return "RecoveryCodes()"


class SecondFactor:
    """Synchronous and safe from any thread."""

    def __init__(self, store: SecondFactors, lock: Lock) -> None:
        self._store = store
        self._lock = lock

    @property
    def can_begin(self) -> bool:
        """Whether secrets can be locked here."""
        return self._lock.works

    def begin(self, user_id: int, email: str) -> Enrolment | None:
        """A secret to scan; None when an authenticator is confirmed already."""
        secret = pyotp.random_base32()
        if not self._store.propose(user_id, self._lock.lock(secret, bound_to(user_id))):
            return None
        return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER))

    def confirm(self, user_id: int, code: str, note: Note) -> RecoveryCodes | None:
        """The recovery codes, when *code* is one of the proposed secret; None otherwise."""
        waiting = self._store.authenticator(user_id)
        if waiting is None or waiting.confirmed:
            return None
        step = self._step(user_id, waiting, code, note.at_ms)
        if step is None:
            return None
        fresh = tuple(new_code() for _ in range(RECOVERY_CODES))
        done = self._store.confirm(waiting.sealed, step, [code_sha256(one) for one in fresh], note)
        return RecoveryCodes(fresh) if done else None

    def renew(self, note: Note) -> RecoveryCodes | None:
        """Fresh recovery codes in place of the older ones; None without an authenticator."""
        fresh = tuple(new_code() for _ in range(RECOVERY_CODES))
        done = self._store.renew_codes([code_sha256(one) for one in fresh], note)
        return RecoveryCodes(fresh) if done else None

    def drop(self, user_id: int, note: Note) -> bool:
        """Ask for no second factor any more."""
        return self._store.drop(user_id, note)

    def is_on(self, user_id: int) -> bool:
        """Whether the person is asked for one."""
        return (found := self._store.authenticator(user_id)) is not None and found.confirmed

    def passes(self, user_id: int, known: Authenticator | None, code: str, note: Note) -> bool:
        """
        Whether *code* is good now, and use it up: of the authenticator *known*, or a recovery code, of which *note*
        tells. A code of the wrong person (0) costs the same question to the store.
        """
        if recovery := code_sha256(code):
            return self._store.spend_code(user_id, recovery, note)
        step = None if known is None else self._step(user_id, known, code, note.at_ms)
        return step is not None and self._store.spend_step(user_id, step)

    def _step(self, user_id: int, known: Authenticator, code: str, now_ms: int) -> int | None:
        """The step *code* belongs to, if it is near and newer than every used one."""
        digits = code.replace(" ", "")
        secret = self._lock.open(known.sealed, bound_to(user_id))
        if secret is None or len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
            return None
        now = now_ms // (STEP_S * 1000)
        app = pyotp.TOTP(secret)
        near = [step for step in range(now - DRIFT, now + DRIFT + 1) if _same(app.generate_otp(step), digits)]
        return next((step for step in near if step > known.last_step), None)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one, other)


def bound_to(user_id: int) -> str:
    """What the locked secret of that person's authenticator is bound to."""
    return f"authenticator|{user_id}"
