"""The operator's list and people's own models: everybody's own, keys sealed, on every database."""

from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa

from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.forms.leaving import SqlLeaving
from lib.adapters.sql.forms.model_lists import SqlModelRegister, SqlModels
from lib.adapters.sql.recovery.seals import kids_in_use, model_keys
from lib.adapters.sql.tables.people import audit_events
from lib.domain.model_profile import KeptModel, ModelProfile
from lib.domain.pricing import AnalystPrices
from lib.domain.trail import Note, TrailEvent
from tests.fakes.people import StandingClock
from tests.servers import AT_TIMES

NOW = 1_760_000_000_000
PROFILE = ModelProfile("fast", "Fast", "https://api.example.com/v1", "gpt-fast")
PRICED = AnalystPrices(Decimal("0.25"), Decimal(2), Decimal("0.025"))
MOST = 2


class Town:
    """Kim and Lee, and the lists."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine, people = engine, SqlAccounts(engine, StandingClock(NOW))
        self.shelf, self.register = SqlModels(engine), SqlModelRegister(engine)
        self.kim, self.lee = (people.add_user(f"{name}@example.com", "!") for name in ("kim", "lee"))

    def own(self, user_id: int, name: str, sealed: str = "v1.aaaa.x") -> KeptModel:
        return KeptModel(replace(PROFILE, name=f"own/{name}", prices=PRICED), user_id, sealed, 1, "1234")

    def keep(self, kept: KeptModel) -> bool:
        note = Note(kept.owner_id, NOW, TrailEvent.MODEL_SAVED, kept.profile.name)
        return self.shelf.keep_own(kept, MOST, NOW, note)

    def delete(self, user_id: int, name: str) -> bool:
        return self.shelf.delete_own(user_id, name, Note(user_id, NOW, TrailEvent.MODEL_DELETED, name))


@pytest.fixture(params=["sqlite", *AT_TIMES])
def town(request: pytest.FixtureRequest) -> Town:
    return Town(request.getfixturevalue(f"{request.param}_engine"))


@pytest.mark.parametrize("prices", [AnalystPrices(), AnalystPrices(free=True), PRICED], ids=["unknown", "free", "said"])
def test_a_listed_model_reads_back_as_it_was_written(town: Town, prices: AnalystPrices) -> None:
    kept = KeptModel(replace(PROFILE, prices=prices, day_usd=Decimal(5), offered=False), 0, "v1.bbbb.x", 2, "9876")
    town.register.keep(KeptModel(PROFILE, 0, "", 0), NOW)
    town.register.keep(kept, NOW)
    assert town.register.listed() == town.shelf.listed() == [kept]
    assert (town.register.delete("fast"), town.register.delete("fast")) == (True, False)
    assert town.shelf.listed() == []


def test_a_persons_models_are_theirs_alone(town: Town) -> None:
    mine, theirs = town.own(town.kim, "a"), town.own(town.lee, "a", "v1.cccc.y")
    assert (town.keep(mine), town.keep(theirs)) == (True, True)
    assert (town.shelf.own(town.kim), town.shelf.own(town.lee)) == ([mine], [theirs])
    assert not town.delete(town.kim, "own/b")
    assert town.delete(town.kim, "own/a")
    assert (town.shelf.own(town.kim), town.shelf.own(town.lee)) == ([], [theirs])


def test_a_model_is_replaced_by_name_and_there_are_no_more_than_the_most(town: Town) -> None:
    assert [town.keep(town.own(town.kim, name)) for name in "abc"] == [True, True, False]
    changed = replace(town.own(town.kim, "b", "v1.dddd.z"), key_version=2)
    assert town.keep(changed)
    assert town.shelf.own(town.kim) == [town.own(town.kim, "a"), changed]


def test_every_change_is_in_the_persons_trail_and_no_key_is(town: Town) -> None:
    town.keep(town.own(town.kim, "a"))
    town.delete(town.kim, "own/a")
    with town.engine.connect() as connection:
        told = connection.execute(sa.select(audit_events.c.event, audit_events.c.detail)).all()
    assert [tuple(row) for row in told] == [("model_saved", "own/a"), ("model_deleted", "own/a")]


def test_who_leaves_takes_their_models_and_keys_along(town: Town) -> None:
    town.keep(town.own(town.kim, "a"))
    SqlLeaving(town.engine).leave(town.kim, NOW)
    assert town.shelf.own(town.kim) == []


def test_a_rotation_knows_every_sealed_key_of_a_model(town: Town) -> None:
    town.register.keep(KeptModel(PROFILE, 0, "v1.bbbb.x", 1), NOW)
    town.register.keep(KeptModel(replace(PROFILE, name="local"), 0, "", 0), NOW)
    town.keep(town.own(town.kim, "a"))
    with town.engine.connect() as connection:
        assert [kept.profile.name for kept in model_keys(connection)] == ["fast", "own/a"]
        assert kids_in_use(connection) == ["aaaa", "bbbb"]
