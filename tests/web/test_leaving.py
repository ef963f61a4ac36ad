"""Taking one's data along and leaving: proved first, asked by name, never with something open."""

from lib.accounts.step_up import UNPROVED
from lib.domain.trail import TrailEvent
from tests.web.conftest import Web
from tests.web.town import GOOD, Town, key_of


def test_an_account_is_deleted_by_its_owner_who_proved_it_and_typed_their_address(town: Town) -> None:
    made = town.join()
    assert key_of(town.safety.delete_account(made.user, "lee@example.com")) == "refuse.delete.email"
    town.leaving.in_use = {made.user.user_id}
    assert key_of(town.safety.delete_account(made.user, "kim@example.com")) == "refuse.delete.in_use"
    town.leaving.in_use = set()
    town.clock.forward(minutes=6)
    assert town.safety.delete_account(made.user, "kim@example.com") == UNPROVED
    assert town.people.user_of(made.token) is not None
    assert town.safety.prove(made.user, password=GOOD) is None
    again = town.people.user_of(made.token)
    assert again is not None
    assert town.safety.delete_account(again, " Kim@example.com ") is None
    assert town.people.user_of(made.token) is None
    assert key_of(town.enter(GOOD)) == "refuse.credentials"


def test_ones_own_data_are_ones_own_and_the_taking_is_noted(web: Web) -> None:
    kim = web.owner()
    answer = kim.get("/api/account/export?user_id=1")
    assert answer.json() == {"user_id": 2}
    assert "attachment" in answer.headers["content-disposition"]
    assert web.sessions.trail.notes[-1].event is TrailEvent.EXPORTED
    web.clock.forward(minutes=6)
    assert (kim.get("/api/account/export").status_code, web.visitor().get("/api/account/export").status_code) == (
        403,
        403,
    )
    assert web.client().get("/api/account/export").status_code == 401


def test_deleting_over_http_ends_the_session_at_once(web: Web) -> None:
    kim = web.owner()
    assert kim.post("/api/account/delete", json={"email": "kim@example.com"}).status_code == 200
    assert kim.get("/api/auth/me").status_code == 401
