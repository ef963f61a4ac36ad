"""The arena by REST: a person enters, is renamed and leaves; of others nothing is told but what they chose."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from app.visit import PLAIN_COOKIE
from lib.adapters.sql.tables.arena import arena_entries, arena_standings
from lib.adapters.sql.tables.people import accounts, system_settings
from lib.adapters.sql.tables.strategies import strategy_versions
from lib.clock import SystemClock
from lib.domain.platform_settings import ARENA
from lib.domain.strategy import Strategy, written
from tests.web.whole import entered, whole_system
from tests.worlds.canaries import Person, settle

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]
_turns = count()


@dataclass
class Place:
    """The running application, two people with nothing entered, and how a request is made by one of them."""

    client: TestClient
    engine: sa.Engine
    kim: Person
    lee: Person

    def get(self, who: Person) -> Any:
        """The arena as *who* reads it."""
        return self.client.get("/api/arena", headers=self._known(who)).json()

    def post(self, act: str, who: Person, body: dict[str, object], **session: bool) -> tuple[int, str]:
        """The status and the refusal of an act."""
        answer = self.client.post(f"/api/arena/{act}", json=body, headers=self._known(who, **session))
        return answer.status_code, str(answer.json().get("error", ""))

    def _known(self, who: Person, **session: bool) -> dict[str, str]:
        self.client.cookies.clear()
        return {"cookie": f"{PLAIN_COOKIE}={who.session(f'arena {next(_turns)}', **session)}"}


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("arena")
    with whole_system(folder) as (system, engine), entered(system, folder) as client:
        kim, lee = (settle(engine, who, SystemClock().now_ms()) for who in ("kim", "lee"))
        with engine.begin() as connection:
            connection.execute(sa.delete(arena_standings))
            connection.execute(sa.delete(arena_entries))
            connection.execute(sa.update(accounts).values(venue="paper", active=True))
            for one in (kim, lee):
                said = Strategy(instructions=f"of {one.user_id}")
                mine = sa.update(strategy_versions).where(strategy_versions.c.user_id == one.user_id)
                connection.execute(mine.values(content=written(said), sha256=said.sha256))
        yield Place(client, engine, kim, lee)


def waiting(told: Any) -> list[tuple[str, bool]]:
    """Who has no rank yet, and whether whoever asks sees a number of it."""
    return [(one["name"], one["entry_id"] is not None) for one in told["waiting"]]


def test_an_entry_is_shown_to_everybody_and_numbered_to_its_person_alone(place: Place) -> None:
    assert place.post("enter", place.kim, {"name": "Blue whale"}) == (200, "")
    assert waiting(place.get(place.kim)) == [("Blue whale", True)]
    assert waiting(place.get(place.lee)) == [("Blue whale", False)]
    assert place.get(place.lee)["season"]["taken"] == 1
    assert place.post("enter", place.lee, {"name": "blue-WHALE"})[1] == "refuse.arena.named"


def test_only_its_person_renames_an_entry_or_takes_it_away(place: Place) -> None:
    place.post("enter", place.kim, {"name": "Whale"})
    number = place.get(place.kim)["waiting"][0]["entry_id"]
    assert place.post("rename", place.lee, {"entry_id": number, "name": "Mine"})[1] == "refuse.arena.gone"
    assert place.post("leave", place.lee, {"entry_id": number})[1] == "refuse.arena.gone"
    assert place.post("rename", place.kim, {"entry_id": number, "name": "Orca"}) == (200, "")
    assert waiting(place.get(place.lee)) == [("Orca", False)]
    assert place.post("leave", place.kim, {"entry_id": number}) == (200, "")
    assert place.post("leave", place.kim, {"entry_id": number})[1] == "refuse.arena.gone"
    told = place.get(place.lee)
    assert (told["waiting"], [one["name"] for one in told["left"]], told["season"]["taken"]) == ([], [None], 1)
    assert place.post("enter", place.kim, {"name": "Orca"}) == (200, ""), "the same entry goes on"
    assert place.get(place.kim)["season"]["taken"] == 1


def test_what_is_no_name_enters_nobody(place: Place) -> None:
    bodies: list[dict[str, object]] = [{}, {"name": "Whale", "house": "yes"}, {"name": ""}, {"name": "x" * 25}]
    bodies += [{"name": "kim@example.com"}, {"name": "Maemae"}, {"name": 7}]
    for body in bodies:
        assert place.post("enter", place.kim, body)[0] in (400, 422), body
    assert place.get(place.kim)["season"]["taken"] == 0


def test_who_only_looks_changes_nothing_and_nobody_enters_as_the_house_by_asking(place: Place) -> None:
    assert place.post("enter", place.kim, {"name": "Whale"}, read_only=True)[0] == 403
    assert place.post("enter", place.kim, {"name": "Whale", "house": True}) == (200, "")
    assert waiting(place.get(place.lee)) == [("Whale", False)]
    assert place.get(place.lee)["house"] == []


def test_a_closed_arena_lets_nobody_in_and_shows_nothing(place: Place) -> None:
    place.post("enter", place.kim, {"name": "Whale"})
    with place.engine.begin() as connection:
        connection.execute(sa.delete(system_settings).where(system_settings.c.setting_key == ARENA))
        connection.execute(sa.insert(system_settings).values(setting_key=ARENA, setting_value="closed"))
    assert place.get(place.lee) == {"open": False, "season": None}
    assert place.post("enter", place.lee, {"name": "Otter"})[1] == "refuse.arena.closed"
