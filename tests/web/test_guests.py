"""Guests: in by one click, gone with their last session, capped while they live, and how they stay."""

from lib.accounts.refusal import Refusal
from lib.accounts.web import Origin, SignedIn
from lib.domain.session import ABSOLUTE_MS, IDLE_MS
from tests.web.town import GOOD, HOME, Town, key_of


def living(town: Town) -> int:
    return town.logins.living_guests()


def test_one_click_makes_a_person_without_a_password_and_a_paper_account(town: Town) -> None:
    made = town.people.try_paper(accepted_risk=True, origin=HOME, locale="en-GB")
    assert isinstance(made, SignedIn)
    assert made.user.email.startswith("guest-")
    assert made.user.locale == "en"
    assert town.opened == [made.user.user_id]


def test_a_guest_whose_account_could_not_be_opened_does_not_stay(town: Town) -> None:
    town.paper = Refusal("refuse.paper.away")
    assert key_of(town.people.try_paper(accepted_risk=True, origin=HOME)) == "refuse.paper.away"
    assert all(member.deleted for member in town.logins.members.values())
    assert town.sessions.rows == {}


def test_a_guest_ends_with_their_session(town: Town) -> None:
    made, other = town.guest(), town.guest()
    town.clock.forward(minutes=2)
    town.people.sign_out(made.token)
    assert town.logins.members[made.user.user_id].deleted
    assert town.people.user_of(other.token) is not None
    assert living(town) == 1


def test_a_guest_who_just_stays_away_ends_when_it_is_tidied(town: Town) -> None:
    town.guest()
    town.clock.forward(seconds=IDLE_MS / 1000)
    town.people.tidy()
    assert living(town) == 0


def test_a_person_with_a_password_never_ends_so(town: Town) -> None:
    made = town.join()
    town.people.sign_out(made.token)
    town.clock.forward(seconds=ABSOLUTE_MS / 1000 * 3)
    town.people.tidy()
    assert isinstance(town.enter(GOOD), SignedIn)


def test_living_guests_are_capped_and_who_has_gone_makes_room(town: Town) -> None:
    for n in range(12):
        town.guest(ip=f"192.0.2.{n}")
    full = town.people.try_paper(accepted_risk=True, origin=Origin("192.0.2.99"))
    assert key_of(full) == "refuse.guests"
    town.clock.forward(seconds=IDLE_MS / 1000)
    town.guest(ip="192.0.2.98")
    assert living(town) == 1


def test_a_guest_becomes_a_person_in_place(town: Town) -> None:
    made = town.guest()
    kept = town.people.keep_guest(made.user, "Kim@example.com", GOOD, origin=HOME)
    assert isinstance(kept, SignedIn)
    assert (kept.user.user_id, kept.user.email, kept.user.is_guest) == (made.user.user_id, "kim@example.com", False)
    assert town.people.user_of(made.token) is None
    assert town.people.user_of(kept.token) == kept.user
    town.people.sign_out(kept.token)
    again = town.enter(GOOD)
    assert isinstance(again, SignedIn)
    assert again.user.user_id == made.user.user_id


def test_what_a_guest_may_not_become(town: Town) -> None:
    kim, made = town.join(), town.guest()
    keep = town.people.keep_guest
    assert key_of(keep(made.user, "kim@example.com", GOOD, origin=HOME)) == "refuse.email.taken"
    assert key_of(keep(made.user, "kim", GOOD, origin=HOME)) == "refuse.email"
    assert key_of(keep(made.user, "lee@example.com", "password123", origin=HOME)) == "refuse.password.common"
    assert key_of(keep(kim.user, "lee@example.com", GOOD, origin=HOME)) == "refuse.not_a_guest"
    assert isinstance(keep(made.user, "lee@example.com", GOOD, origin=HOME), SignedIn)
    assert key_of(keep(made.user, "again@example.com", GOOD, origin=HOME)) == "refuse.not_a_guest"
