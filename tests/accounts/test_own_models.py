"""A person's own models as a use-case: a key is put in place, replaced or cleared, by its owner alone."""

from dataclasses import replace

import pytest

from lib.accounts.models import ModelHouse, OwnModelDesk
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.clock import SteppedClock
from lib.domain.model_profile import KeptModel, ModelProfile, ModelSeal
from lib.domain.trail import Note, TrailEvent
from lib.ports.models import ModelShelf
from lib.ports.secrets import ModelSealer

KIM, LEE = SessionUser(1, "kim@example.com", "ko"), SessionUser(2, "lee@example.com", "en")
ENVIRONMENT = ModelProfile("default", "gpt-x", "https://api.example.com/v1", "gpt-x")
MINE = replace(ENVIRONMENT, name="own/mine")
KEY = "sk-of-kim-1234"


class Shelf(ModelShelf):
    """The lists in memory."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, str], KeptModel] = {}
        self.notes: list[Note] = []

    def listed(self) -> list[KeptModel]:
        return []

    def own(self, user_id: int) -> list[KeptModel]:
        return [kept for (owner, _), kept in self.rows.items() if owner == user_id]

    def keep_own(self, kept: KeptModel, most: int, now_ms: int, note: Note) -> bool:
        self.rows[kept.owner_id, kept.profile.name] = kept
        self.notes.append(note)
        return True

    def delete_own(self, user_id: int, name: str, note: Note) -> bool:
        return self.rows.pop((user_id, name), None) is not None


class Sealing(ModelSealer):
    def seal(self, key: str, bound: ModelSeal) -> str:
        return f"v1.{bound.owner_id}.{bound.key_version}"


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def desk(shelf: Shelf) -> OwnModelDesk:
    made = OwnModelDesk(shelf, ModelHouse(ENVIRONMENT, lambda profile: profile, Sealing()), SteppedClock(1))
    assert made.save(KIM, MINE, KEY) is None
    return made


def test_a_cleared_key_is_gone_and_its_seal_fits_no_later_one(desk: OwnModelDesk, shelf: Shelf) -> None:
    assert desk.clear_key(KIM, "own/mine") is None
    [kept] = shelf.own(1)
    assert (kept.sealed, kept.last4, kept.key_version, kept.profile) == ("", "", 2, MINE)
    assert (shelf.notes[-1].event, shelf.notes[-1].detail) == (TrailEvent.MODEL_KEY_CLEARED, "own/mine")
    assert desk.save(KIM, MINE, KEY) is None
    assert shelf.own(1)[0].sealed == "v1.1.3"


def test_nobody_clears_a_key_of_another(desk: OwnModelDesk, shelf: Shelf) -> None:
    assert desk.clear_key(LEE, "own/mine") == Refusal("refuse.model.gone")
    assert shelf.own(1)[0].last4 == "1234"
    assert shelf.own(2) == []


@pytest.mark.parametrize("name", ["own/😀", "own/\u00a0", "OWN/MINE", "own/mine\n", ""])
def test_a_name_no_model_can_have_never_reaches_the_database(desk: OwnModelDesk, shelf: Shelf, name: str) -> None:
    shelf.rows[1, name] = shelf.rows[1, "own/mine"]
    assert desk.delete(KIM, name) == Refusal("refuse.model.gone")
    assert (1, name) in shelf.rows
    assert desk.delete(KIM, "own/mine") is None
