"""The lowest step as a person takes it: doing without by sentence and proof; the switch says what it waits for."""

import asyncio
from dataclasses import replace

import pytest

from lib.accounts.demo_step import WITHOUT, DemoDesk
from lib.accounts.real_money import OVERRIDES, SENTENCES
from lib.accounts.refusal import Refusal
from lib.accounts.step_up import PROOF_MS, UNPROVED
from lib.accounts.trading import KeySaved
from lib.adapters.sql.forms.stretches import SqlStretches
from lib.adapters.sql.tables.people import accounts
from lib.clock import SteppedClock
from lib.domain import reason_codes as codes
from lib.domain.stretch import Criteria, Step
from lib.domain.trail import Note, TrailEvent
from tests.accounts.conftest import Scene
from tests.accounts.test_demo_keys import demo as demo
from tests.accounts.test_demo_keys import save
from tests.accounts.test_real_money import ACCOUNT, CRITERIA, USER, Begun
from tests.factories import T


class OnPaper(Begun):
    """Of person 7's paper account 3; what is done without is granted to person 7 alone."""

    def ask(self, account_id: int, criteria: Criteria, note: Note, step: Step = Step.REAL) -> bool:
        self.notes.append(note)
        return (account_id, note.user_id, step) == (ACCOUNT, USER.user_id, Step.DEMO)

    def demo_without(self, note: Note) -> bool:
        self.notes.append(note)
        return note.user_id == USER.user_id


@pytest.fixture
def desk() -> DemoDesk:
    return DemoDesk(OnPaper(), SteppedClock(T))


def noted(desk: DemoDesk) -> list[TrailEvent]:
    assert isinstance(desk.stretches, OnPaper)
    return [note.event for note in desk.stretches.notes]


def test_a_stretch_on_paper_is_begun_by_anybody_but_a_guest_on_an_account_of_theirs(desk: DemoDesk) -> None:
    assert desk.begin(replace(USER, is_guest=True), ACCOUNT, CRITERIA) == Refusal("refuse.guest")
    assert noted(desk) == []
    assert desk.begin(replace(USER, proved_ms=0), ACCOUNT, CRITERIA) is None
    assert noted(desk) == [TrailEvent.STRETCH_ASKED]
    assert desk.begin(USER, ACCOUNT + 1, CRITERIA) == Refusal("refuse.demo.stretch")


@pytest.mark.parametrize("sentence", WITHOUT.values())
def test_to_do_without_takes_its_own_sentence_and_a_fresh_proof(desk: DemoDesk, sentence: str) -> None:
    for typed in ("", "yes", sentence + ".", *OVERRIDES.values(), *SENTENCES.values()):
        assert desk.override(USER, typed) == Refusal("refuse.real.words")
    assert desk.override(replace(USER, proved_ms=T - PROOF_MS), sentence) == UNPROVED
    assert noted(desk) == []
    assert desk.override(USER, f" {sentence} ") is None
    assert noted(desk) == [TrailEvent.DEMO_OVERRIDDEN]
    assert desk.override(replace(USER, user_id=8), sentence) == Refusal("refuse.demo.only")


@pytest.mark.server
@pytest.mark.enable_socket
async def test_the_switch_of_a_demo_account_says_what_it_waits_for_and_nothing_else_is_refused(demo: Scene) -> None:
    assert isinstance(await save(demo), KeySaved)
    user, desk = demo.user, demo.desk
    refused = await asyncio.to_thread(desk.set_auto_trade, user, True)
    assert refused == Refusal("refuse.demo.evidence", why=codes.DEMO_STRETCH_LACKING())
    for act in (desk.pause, desk.resume, desk.flatten):
        assert await asyncio.to_thread(act, user) is None
    assert demo.rows(accounts)[0]["flatten"]
    assert await asyncio.to_thread(desk.resume, user) is None
    assert await asyncio.to_thread(desk.set_auto_trade, user, False) is None
    step = DemoDesk(SqlStretches(demo.engine), demo.world.clock)
    assert await asyncio.to_thread(step.override, user, WITHOUT["en"]) is None
    assert await asyncio.to_thread(desk.set_auto_trade, user, True) is None
