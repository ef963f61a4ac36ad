"""
A person's consent to trade with real money, and taking it back.

It is given by typing one sentence, by who proved lately who they are and has a second factor on; it holds for the key
the account has then. It opens nothing by itself: the claim of an entry judges it beside every other gate.
"""

from dataclasses import dataclass

from lib.accounts.acts import act
from lib.accounts.notes import note_of
from lib.accounts.step_up import unproved
from lib.accounts.web import Refusal, SessionUser
from lib.clock import Clock
from lib.domain.trail import Note, TrailEvent
from lib.ports.real_money import RealConsents
from lib.ports.safety import Passkeys, SecondFactors

SENTENCES = {"ko": "실제 돈으로 거래하는 데 동의합니다", "en": "I agree to trade with real money"}
"""What is typed, letter by letter, by language."""


@dataclass(frozen=True, slots=True)
class RealMoneyDesk:
    """Synchronous and safe from any thread."""

    consents: RealConsents
    factors: SecondFactors
    passkeys: Passkeys
    clock: Clock

    @act
    def consent(self, user: SessionUser, account_id: int, typed: str) -> Refusal | None:
        """Consent to the key that the person's account has now."""
        if typed.strip() not in SENTENCES.values():
            return Refusal("refuse.real.words")
        if user.is_guest or not self._has_factor(user.user_id):
            return Refusal("refuse.real.factor")
        if refusal := unproved(user, self.clock.now_ms()):
            return refusal
        given = self.consents.give(account_id, self._note(user, TrailEvent.REAL_CONSENTED))
        return None if given else Refusal("refuse.no_account")

    @act
    def withdraw(self, user: SessionUser) -> Refusal | None:
        """End every consent; entries with real money end with the next claim, exits never."""
        ended = self.consents.withdraw(self._note(user, TrailEvent.REAL_WITHDRAWN))
        return None if ended else Refusal("refuse.no_account")

    def _has_factor(self, user_id: int) -> bool:
        known = self.factors.authenticator(user_id)
        return (known is not None and known.confirmed) or bool(self.passkeys.of_person(user_id))

    def _note(self, user: SessionUser, event: TrailEvent) -> Note:
        return note_of(user, event, self.clock.now_ms())
