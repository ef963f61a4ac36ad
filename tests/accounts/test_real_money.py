"""Consent to real money, and doing without evidence: the sentence, the second factor, the fresh proof, one account."""

from dataclasses import replace

import pytest

from lib.accounts.real_money import OVERRIDES, SENTENCES, RealMoneyDesk
from lib.accounts.refusal import Refusal
from lib.accounts.step_up import PROOF_MS, UNPROVED
from lib.accounts.web import SessionUser
from lib.clock import SteppedClock
from lib.domain.second_factor import Authenticator
from lib.domain.stretch import Criteria, Step
from lib.domain.trail import Note, TrailEvent
from lib.ports.real_money import RealConsents
from lib.ports.stretches import Stretches
from tests.factories import T
from tests.fakes.people import MemoryFactors, MemoryPasskeys

USER = SessionUser(7, "kim@example.test", "ko", proved_ms=T)
ACCOUNT, STRETCH = 3, 5
CRITERIA = Criteria("rules", 14, 100, 1)


class Consents(RealConsents):
    """Of person 7's account 3 alone."""

    def __init__(self) -> None:
        self.notes: list[Note] = []

    def give(self, account_id: int, note: Note) -> bool:
        self.notes.append(note)
        return (account_id, note.user_id) == (ACCOUNT, USER.user_id)

    def withdraw(self, note: Note) -> bool:
        self.notes.append(note)
        return len(self.notes) > 1


class Begun(Stretches):
    """Of person 7's account 3 and stretch 5 alone."""

    def __init__(self) -> None:
        self.notes: list[Note] = []

    def ask(self, account_id: int, criteria: Criteria, note: Note, step: Step = Step.REAL) -> bool:
        self.notes.append(note)
        return (account_id, note.user_id, step) == (ACCOUNT, USER.user_id, Step.REAL)

    def demo_without(self, note: Note) -> bool:
        return False

    def override(self, stretch_id: int, note: Note) -> bool:
        self.notes.append(note)
        return (stretch_id, note.user_id) == (STRETCH, USER.user_id)


@pytest.fixture
def desk() -> RealMoneyDesk:
    factors = MemoryFactors()
    factors.kept[USER.user_id] = Authenticator("x", 0, confirmed=True)
    return RealMoneyDesk(Consents(), Begun(), factors, MemoryPasskeys(factors.trail), SteppedClock(T))


def given(desk: RealMoneyDesk) -> list[TrailEvent]:
    assert isinstance(desk.consents, Consents)
    return [note.event for note in desk.consents.notes]


@pytest.mark.parametrize("sentence", SENTENCES.values())
def test_the_sentence_in_either_language_is_a_consent(desk: RealMoneyDesk, sentence: str) -> None:
    assert desk.consent(USER, ACCOUNT, f" {sentence} ") is None
    assert given(desk) == [TrailEvent.REAL_CONSENTED]


@pytest.mark.parametrize(
    "typed", ["", "yes", "동의합니다", "I agree to trade with real money.", "i agree to trade with real money"]
)
def test_anything_else_is_none(desk: RealMoneyDesk, typed: str) -> None:
    assert desk.consent(USER, ACCOUNT, typed) == Refusal("refuse.real.words")
    assert given(desk) == []


def test_without_a_second_factor_nobody_consents(desk: RealMoneyDesk) -> None:
    assert isinstance(desk.factors, MemoryFactors)
    for known in (Authenticator("x", 0, confirmed=False), None):
        desk.factors.kept = {USER.user_id: known} if known else {}
        assert desk.consent(USER, ACCOUNT, SENTENCES["en"]) == Refusal("refuse.real.factor")
    assert desk.consent(replace(USER, is_guest=True), ACCOUNT, SENTENCES["en"]) == Refusal("refuse.real.factor")
    assert given(desk) == []


def test_without_a_fresh_proof_nobody_consents(desk: RealMoneyDesk) -> None:
    stale = replace(USER, proved_ms=T - PROOF_MS)
    assert desk.consent(stale, ACCOUNT, SENTENCES["en"]) == UNPROVED
    assert given(desk) == []


def test_an_account_that_is_not_the_persons_is_refused(desk: RealMoneyDesk) -> None:
    assert desk.consent(USER, ACCOUNT + 1, SENTENCES["en"]) == Refusal("refuse.no_account")
    other = replace(USER, user_id=8)
    assert desk.consent(other, ACCOUNT, SENTENCES["en"]) == Refusal("refuse.real.factor")


def test_a_consent_is_taken_back_without_any_proof(desk: RealMoneyDesk) -> None:
    stale = replace(USER, proved_ms=0)
    assert desk.withdraw(stale) == Refusal("refuse.no_account")
    assert desk.withdraw(stale) is None


def begun(desk: RealMoneyDesk) -> list[TrailEvent]:
    assert isinstance(desk.stretches, Begun)
    return [note.event for note in desk.stretches.notes]


def test_a_stretch_is_begun_by_anybody_but_a_guest_on_an_account_of_theirs(desk: RealMoneyDesk) -> None:
    stale = replace(USER, proved_ms=0)
    assert desk.begin(stale, ACCOUNT, CRITERIA) is None
    assert begun(desk) == [TrailEvent.STRETCH_ASKED]
    assert desk.begin(USER, ACCOUNT + 1, CRITERIA) == Refusal("refuse.real.stretch")
    assert desk.begin(replace(USER, is_guest=True), ACCOUNT, CRITERIA) == Refusal("refuse.real.factor")


@pytest.mark.parametrize("sentence", OVERRIDES.values())
def test_to_do_without_evidence_takes_its_own_sentence_a_factor_and_a_fresh_proof(
    desk: RealMoneyDesk, sentence: str
) -> None:
    for typed in ("", "yes", SENTENCES["en"], SENTENCES["ko"]):
        assert desk.override(USER, STRETCH, typed) == Refusal("refuse.real.words")
    assert desk.override(replace(USER, is_guest=True), STRETCH, sentence) == Refusal("refuse.real.factor")
    assert desk.override(replace(USER, proved_ms=T - PROOF_MS), STRETCH, sentence) == UNPROVED
    assert isinstance(desk.factors, MemoryFactors)
    known, desk.factors.kept = desk.factors.kept, {}
    assert desk.override(USER, STRETCH, sentence) == Refusal("refuse.real.factor")
    assert begun(desk) == []
    desk.factors.kept = known
    assert desk.override(USER, STRETCH, f" {sentence} ") is None
    assert begun(desk) == [TrailEvent.STRETCH_OVERRIDDEN]
    assert desk.override(USER, STRETCH + 1, sentence) == Refusal("refuse.real.stretch")


def test_a_consent_is_no_override_and_an_override_no_consent(desk: RealMoneyDesk) -> None:
    for sentence in OVERRIDES.values():
        assert desk.consent(USER, ACCOUNT, sentence) == Refusal("refuse.real.words")
