"""
The lowest step of the ladder as a person takes it: a stretch of evidence on paper, or demo trading without one.

Neither switches anything on. A stretch may be begun by anybody but a guest. To do without is typed as a sentence of its
own by who proved lately who they are; no second factor is asked, for no money hangs on it.
"""

from dataclasses import dataclass

from lib.accounts.acts import act
from lib.accounts.notes import note_of
from lib.accounts.step_up import unproved
from lib.accounts.web import Refusal, SessionUser
from lib.clock import Clock
from lib.domain.stretch import Criteria, Step
from lib.domain.trail import TrailEvent
from lib.ports.stretches import Stretches

WITHOUT = {"ko": "검증 없이 데모 거래를 켜겠습니다", "en": "I start demo trading without this evidence"}
"""What is typed, letter by letter, by language."""


@dataclass(frozen=True, slots=True)
class DemoDesk:
    """Synchronous and safe from any thread."""

    stretches: Stretches
    clock: Clock

    @act
    def begin(self, user: SessionUser, account_id: int, criteria: Criteria) -> Refusal | None:
        """Ask for a stretch of evidence on the paper account *account_id* by *criteria*, sealed as it begins."""
        if user.is_guest:
            return Refusal("refuse.guest")
        note = note_of(user, TrailEvent.STRETCH_ASKED, self.clock.now_ms())
        return None if self.stretches.ask(account_id, criteria, note, Step.DEMO) else Refusal("refuse.demo.stretch")

    @act
    def override(self, user: SessionUser, typed: str) -> Refusal | None:
        """Do without evidence in demo trading for a week: a person's act, which stays in their record."""
        if typed.strip() not in WITHOUT.values():
            return Refusal("refuse.real.words")
        if refusal := unproved(user, self.clock.now_ms()):
            return refusal
        given = self.stretches.demo_without(note_of(user, TrailEvent.DEMO_OVERRIDDEN, self.clock.now_ms()))
        return None if given else Refusal("refuse.demo.only")
