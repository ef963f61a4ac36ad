"""
A person's consent to trade with real money, and taking it back; stretches of evidence, and doing without for a week.

A consent is given by typing one sentence, by who proved lately who they are and has a second factor on; it holds for
the key the account has then. An override is given likewise, by a sentence of its own. Neither opens anything by itself:
the claim of an entry judges them beside every other gate. A stretch only makes the way longer: anybody may begin one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lib.accounts.acts import act
from lib.accounts.notes import note_of
from lib.accounts.step_up import unproved
from lib.accounts.web import Refusal, SessionUser
from lib.clock import Clock
from lib.domain.stretch import Criteria
from lib.domain.trail import Note, TrailEvent
from lib.ports.real_money import RealConsents
from lib.ports.safety import Passkeys, SecondFactors
from lib.ports.stretches import Stretches

SENTENCES = {"ko": "실제 돈으로 거래하는 데 동의합니다", "en": "I agree to trade with real money"}
"""What is typed, letter by letter, by language."""
OVERRIDES = {
    "ko": "검증 없이 실제 돈으로 거래하겠습니다",
    "en": "I trade with real money without this evidence",
}
"""The same, to do without a stretch's evidence."""


@dataclass(frozen=True, slots=True)
class RealMoneyDesk:
    """Synchronous and safe from any thread."""

    consents: RealConsents
    stretches: Stretches
    factors: SecondFactors
    passkeys: Passkeys
    clock: Clock

    @act
    def consent(self, user: SessionUser, account_id: int, typed: str) -> Refusal | None:
        """Consent to the key that the person's account has now."""
        if refusal := self._unmeant(user, typed, SENTENCES):
            return refusal
        given = self.consents.give(account_id, self._note(user, TrailEvent.REAL_CONSENTED))
        return None if given else Refusal("refuse.no_account")

    @act
    def withdraw(self, user: SessionUser) -> Refusal | None:
        """End every consent; entries with real money end with the next claim, exits never."""
        ended = self.consents.withdraw(self._note(user, TrailEvent.REAL_WITHDRAWN))
        return None if ended else Refusal("refuse.no_account")

    @act
    def begin(self, user: SessionUser, account_id: int, criteria: Criteria) -> Refusal | None:
        """Ask for a stretch of evidence by *criteria*, which are sealed as it begins."""
        if user.is_guest:
            return Refusal("refuse.real.factor")
        asked = self.stretches.ask(account_id, criteria, self._note(user, TrailEvent.STRETCH_ASKED))
        return None if asked else Refusal("refuse.real.stretch")

    @act
    def override(self, user: SessionUser, stretch_id: int, typed: str) -> Refusal | None:
        """Do without the evidence of a stretch for a week: a person's act, which stays in their record."""
        if refusal := self._unmeant(user, typed, OVERRIDES):
            return refusal
        given = self.stretches.override(stretch_id, self._note(user, TrailEvent.STRETCH_OVERRIDDEN))
        return None if given else Refusal("refuse.real.stretch")

    def _unmeant(self, user: SessionUser, typed: str, sentences: Mapping[str, str]) -> Refusal | None:
        """Why *typed* is not yet the act of *user*: another sentence, no second factor, no fresh proof."""
        if typed.strip() not in sentences.values():
            return Refusal("refuse.real.words")
        if user.is_guest or not self._has_factor(user.user_id):
            return Refusal("refuse.real.factor")
        return unproved(user, self.clock.now_ms())

    def _has_factor(self, user_id: int) -> bool:
        known = self.factors.authenticator(user_id)
        return (known is not None and known.confirmed) or bool(self.passkeys.of_person(user_id))

    def _note(self, user: SessionUser, event: TrailEvent) -> Note:
        return note_of(user, event, self.clock.now_ms())
