"""Every way to become somebody asks which doors are open, at that moment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.accounts.invites import ALPHABET, LENGTH, code_sha256, new_code
from lib.accounts.web import SignedIn
from lib.domain.platform_settings import Admission, GuestDoor, Registration
from tests.fakes.platform import InviteRow
from tests.web.town import GOOD, HOME, Town, key_of

SHUT = Admission(Registration.CLOSED, GuestDoor.CLOSED)
INVITE = Admission(Registration.INVITE)
CLOSED = Admission(Registration.CLOSED)
LATER_MS = 86_400_000


@pytest.fixture
def town() -> Town:
    return Town()


def invited(town: Town, expires_in_ms: int = LATER_MS) -> str:
    """A code that is good in *town*."""
    code = new_code()
    town.logins.invites.rows[code_sha256(code)] = InviteRow(town.clock.now_ms() + expires_in_ms)
    return code


def register(town: Town, email: str = "kim@example.com", code: str = "") -> SignedIn | str:
    result = town.people.register(email, GOOD, accepted_risk=True, origin=HOME, code=code)
    return result if isinstance(result, SignedIn) else key_of(result)


def keep(town: Town, guest: SignedIn, code: str = "") -> SignedIn | str:
    result = town.people.keep_guest(guest.user, "kim@example.com", GOOD, origin=HOME, code=code)
    return result if isinstance(result, SignedIn) else key_of(result)


def people(town: Town) -> list[str]:
    return [member.email for member in town.logins.members.values() if not member.is_guest]


def test_closed_registration_takes_nobody_by_any_door(town: Town) -> None:
    guest, code = town.guest(), invited(town)
    town.admission = CLOSED
    assert register(town, code=code) == "refuse.registration"
    assert keep(town, guest, code) == "refuse.registration"
    assert key_of(town.people.try_paper(accepted_risk=True, origin=HOME)) == "refuse.guests.closed"
    assert people(town) == []
    assert len(town.logins.members) == 1
    assert town.opened == [guest.user.user_id]


def test_who_is_here_already_comes_in_while_every_door_is_shut(town: Town) -> None:
    town.join()
    town.admission = SHUT
    assert isinstance(town.enter(GOOD), SignedIn)


def test_the_demo_makes_nobody_and_asks_no_door(town: Town) -> None:
    town.demo = town.logins.add("demo-x@maemae.local", "!", locale="ko", risk_accepted_ms=0, is_demo=True)
    town.admission = SHUT
    looked = town.people.open_demo(origin=HOME)
    assert isinstance(looked, SignedIn)
    assert looked.user.read_only


def test_an_invitation_lets_one_person_in_however_it_is_typed(town: Town) -> None:
    town.admission = INVITE
    code = invited(town)
    assert isinstance(register(town, code=f" {code.lower().replace('-', ' ')} "), SignedIn)
    assert register(town, "lee@example.com", code) == "refuse.invite"
    assert people(town) == ["kim@example.com"]


@pytest.mark.parametrize("typed", ["", "x", "0000-0000-0000-0000", "가" * 16, "0" * 10_000, "\udc00" * 16])
def test_without_a_good_code_nobody_registers_by_invitation(town: Town, typed: str) -> None:
    invited(town)
    town.admission = INVITE
    assert register(town, code=typed) == "refuse.invite"
    assert people(town) == []


def test_an_invitation_that_is_over_lets_nobody_in(town: Town) -> None:
    town.admission = INVITE
    code = invited(town, expires_in_ms=60_000)
    town.clock.forward(minutes=1)
    assert register(town, code=code) == "refuse.invite"


def test_a_guest_needs_an_invitation_to_stay_where_one_is_asked_for(town: Town) -> None:
    guest, code = town.guest(), invited(town)
    town.admission = INVITE
    assert keep(town, guest) == "refuse.invite"
    assert town.people.user_of(guest.token) == guest.user
    kept = keep(town, guest, code)
    assert isinstance(kept, SignedIn)
    assert kept.user.user_id == guest.user.user_id


def test_the_door_of_guests_is_its_own_when_the_operator_says_so(town: Town) -> None:
    town.admission = Admission(Registration.CLOSED, GuestDoor.OPEN)
    town.guest()
    town.admission = Admission(Registration.OPEN, GuestDoor.CLOSED)
    assert key_of(town.people.try_paper(accepted_risk=True, origin=HOME)) == "refuse.guests.closed"
    assert isinstance(register(town), SignedIn)


def test_guessing_at_codes_is_paced_like_every_newcomer(town: Town) -> None:
    town.admission = INVITE
    tries = [register(town, f"p{n}@example.com", new_code()) for n in range(12)]
    assert tries == ["refuse.invite"] * 10 + ["refuse.wait"] * 2


def test_an_open_door_asks_for_no_code_and_uses_none_up(town: Town) -> None:
    code = invited(town)
    assert isinstance(register(town, code=code), SignedIn)
    town.admission = INVITE
    assert isinstance(register(town, "lee@example.com", code), SignedIn)


@given(st.text(max_size=60))
def test_whatever_is_typed_is_a_code_or_nothing(typed: str) -> None:
    assert code_sha256(typed) == "" or len(code_sha256(typed)) == 64


def test_codes_differ_and_have_no_letters_that_look_alike() -> None:
    codes = {new_code() for _ in range(200)}
    assert len(codes) == 200
    assert all(len(code.replace("-", "")) == LENGTH and not set("OILU") & set(code) for code in codes)
    assert len(ALPHABET) == 32
    assert code_sha256("OIL0" * 4) == code_sha256("0110" * 4) != ""
