"""Two-step sign-in and proving whose session it is: what opens, what never opens twice, and what nobody can tell."""

import logging

import pyotp
import pytest

from lib.accounts.second_factor import Enrolment, RecoveryCodes
from lib.accounts.step_up import PROOF_MS, UNPROVED
from lib.accounts.web import SessionUser, SignedIn
from lib.domain.second_factor import RECOVERY_CODES, STEP_S
from lib.domain.trail import TrailEvent
from tests.web.conftest import Web
from tests.web.town import GOOD, Town, key_of

NEW = "four unrelated horses staple"


def enrol(town: Town, user: SessionUser) -> tuple[pyotp.TOTP, tuple[str, ...]]:
    begun = town.safety.begin_factor(user)
    assert isinstance(begun, Enrolment), begun
    app = pyotp.TOTP(begun.secret)
    confirmed = town.safety.confirm_factor(user, code(town, app))
    assert isinstance(confirmed, RecoveryCodes), confirmed
    return app, confirmed.codes


def code(town: Town, app: pyotp.TOTP, steps: int = 0) -> str:
    return app.at(town.clock.now_ms() // 1000 + steps * STEP_S)


def later(town: Town, steps: int = 2) -> None:
    town.clock.forward(seconds=steps * STEP_S)


def events(town: Town) -> list[TrailEvent]:
    return [note.event for note in town.trail.notes]


def test_with_a_second_factor_the_password_alone_opens_nothing_and_a_stranger_hears_no_difference(town: Town) -> None:
    made = town.join()
    enrol(town, made.user)
    answers = {
        key_of(town.enter(GOOD, ip="198.51.100.1")),
        key_of(town.enter(GOOD, ip="198.51.100.2", code="000000")),
        key_of(town.enter("a wrong password", ip="198.51.100.3")),
        key_of(town.enter("a wrong password", "nobody@example.com", ip="198.51.100.4")),
    }
    assert answers == {"refuse.credentials"}


def test_in_a_browser_of_ones_own_the_missing_code_is_asked_for(town: Town) -> None:
    made = town.join()
    app, _ = enrol(town, made.user)
    later(town)
    assert key_of(town.enter(GOOD, browser=made.browser)) == "refuse.code"
    assert key_of(town.enter("a wrong password", browser=made.browser)) == "refuse.credentials"
    assert isinstance(town.enter(GOOD, browser=made.browser, code=code(town, app)), SignedIn)


def test_a_code_opens_once_and_none_before_it_opens_after_it(town: Town) -> None:
    made = town.join()
    app, _ = enrol(town, made.user)
    assert key_of(town.enter(GOOD, code=code(town, app))) == "refuse.credentials"  # the one it was confirmed with
    later(town)
    good = code(town, app)
    assert isinstance(town.enter(GOOD, code=good), SignedIn)
    assert key_of(town.enter(GOOD, code=good)) == "refuse.credentials"
    assert key_of(town.enter(GOOD, code=code(town, app, -1))) == "refuse.credentials"


@pytest.mark.parametrize(("steps", "opens"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_phones_clock_may_be_half_a_minute_off(town: Town, steps: int, opens: bool) -> None:
    app, _ = enrol(town, town.join().user)
    later(town, 9)
    assert isinstance(town.enter(GOOD, code=code(town, app, steps)), SignedIn) is opens


@pytest.mark.parametrize("odd", ["", " ", "12345", "1234567", "\uff11" * 6, "\u0660" * 6, "-12345", "a" * 40])
def test_what_is_no_code_opens_nothing(town: Town, odd: str) -> None:
    enrol(town, town.join().user)
    assert key_of(town.enter(GOOD, code=odd)) == "refuse.credentials"


def test_a_recovery_code_opens_once_however_it_is_typed_and_is_noted(town: Town) -> None:
    made = town.join()
    _, codes = enrol(town, made.user)
    assert len(set(codes)) == RECOVERY_CODES
    assert key_of(town.enter("a wrong password", code=codes[0])) == "refuse.credentials"
    assert isinstance(town.enter(GOOD, code=codes[0].lower().replace("-", " ")), SignedIn)
    assert key_of(town.enter(GOOD, code=codes[0])) == "refuse.credentials"
    assert events(town).count(TrailEvent.RECOVERY_USED) == 1


def test_a_right_password_with_a_wrong_code_is_news_to_the_owner_and_counts_as_a_try(town: Town) -> None:
    enrol(town, town.join().user)
    answers = [key_of(town.enter(GOOD, ip=f"198.51.100.{n}", code="000000")) for n in range(5)]
    assert answers == ["refuse.credentials"] * 3 + ["refuse.wait.person"] * 2
    assert events(town).count(TrailEvent.CODE_FAILED) == 3


def test_another_persons_authenticator_opens_nothing(town: Town) -> None:
    enrol(town, town.join().user)
    app, codes = enrol(town, town.join("lee@example.com").user)
    later(town)
    assert key_of(town.enter(GOOD, code=code(town, app))) == "refuse.credentials"
    assert key_of(town.enter(GOOD, code=codes[0])) == "refuse.credentials"
    town.logins.factors.kept[1] = town.logins.factors.kept[2]  # sealed for another's row it is only noise
    assert key_of(town.enter(GOOD, code=code(town, app))) == "refuse.credentials"


def test_new_recovery_codes_take_the_place_of_the_old_ones_and_off_is_off(town: Town) -> None:
    made = town.join()
    _, old = enrol(town, made.user)
    assert key_of(town.safety.begin_factor(made.user)) == "refuse.factor.on"
    fresh = town.safety.renew_codes(made.user)
    assert isinstance(fresh, RecoveryCodes)
    assert key_of(town.enter(GOOD, code=old[0])) == "refuse.credentials"
    assert isinstance(town.enter(GOOD, code=fresh.codes[0]), SignedIn)
    assert town.safety.drop_factor(made.user) is None
    assert key_of(town.safety.drop_factor(made.user)) == "refuse.factor.off"
    assert isinstance(town.enter(GOOD), SignedIn)


def test_nothing_is_asked_for_before_a_code_was_shown(town: Town) -> None:
    made = town.join()
    assert isinstance(town.safety.begin_factor(made.user), Enrolment)
    assert key_of(town.safety.confirm_factor(made.user, "000000")) == "refuse.code.wrong"
    assert isinstance(town.enter(GOOD), SignedIn)


# --- whose session it is ----------------------------------------------------------------------------------------------


def test_signing_in_proves_it_for_five_minutes_and_the_password_again_for_five_more(town: Town) -> None:
    made = town.join()
    town.clock.forward(seconds=PROOF_MS // 1000)
    for act in (
        town.safety.begin_factor(made.user),
        town.safety.renew_codes(made.user),
        town.safety.drop_factor(made.user),
        town.safety.change_password(made.user, GOOD, NEW),
        town.safety.change_email(made.user, "new@example.com", GOOD),
        town.safety.confirm_factor(made.user, "000000"),
    ):
        assert act == UNPROVED
    assert key_of(town.safety.prove(made.user, password="a wrong password")) == "refuse.proof"
    assert town.safety.prove(made.user, password=GOOD) is None
    again = town.people.user_of(made.token)
    assert again is not None
    assert town.safety.change_email(again, "new@example.com", GOOD) is None


def test_a_proof_is_of_one_session_alone(town: Town) -> None:
    made = town.join()
    other = town.enter(GOOD)
    assert isinstance(other, SignedIn)
    town.clock.forward(minutes=6)
    assert town.safety.prove(other.user, password=GOOD) is None
    mine, theirs = town.people.user_of(made.token), town.people.user_of(other.token)
    assert mine is not None
    assert theirs is not None
    assert (town.safety.begin_factor(mine), mine.proved_ms < theirs.proved_ms) == (UNPROVED, True)


def test_with_a_second_factor_the_password_proves_nothing(town: Town) -> None:
    made = town.join()
    app, codes = enrol(town, made.user)
    later(town)
    assert key_of(town.safety.prove(made.user, password=GOOD)) == "refuse.proof"
    assert town.safety.prove(made.user, code=code(town, app)) is None
    assert town.safety.prove(made.user, code=codes[3]) is None


def test_guessing_at_a_proof_is_paced(town: Town) -> None:
    made = town.join()
    answers = [key_of(town.safety.prove(made.user, password="a wrong password")) for _ in range(4)]
    assert answers == ["refuse.proof"] * 3 + ["refuse.wait"]


def test_a_guest_has_nothing_to_guard(town: Town) -> None:
    guest = town.guest().user
    assert key_of(town.safety.prove(guest, password="")) == "refuse.guest"
    assert key_of(town.safety.begin_factor(guest)) == "refuse.guest"
    assert key_of(town.safety.change_password(guest, "!", NEW)) == "refuse.guest"


# --- password and e-mail ----------------------------------------------------------------------------------------------


def test_a_new_password_wants_the_old_one_and_ends_every_other_session(town: Town) -> None:
    made, other = town.join(), town.enter(GOOD)
    assert isinstance(other, SignedIn)
    assert key_of(town.safety.change_password(made.user, "a wrong password", NEW)) == "refuse.password.wrong"
    assert key_of(town.safety.change_password(made.user, GOOD, "short")) == "refuse.password.short"
    assert town.safety.change_password(made.user, GOOD, NEW) is None
    assert (town.people.user_of(made.token), town.people.user_of(other.token)) == (made.user, None)
    assert key_of(town.enter(GOOD)) == "refuse.credentials"
    assert isinstance(town.enter(NEW), SignedIn)
    assert TrailEvent.PASSWORD_CHANGED in events(town)


def test_an_address_that_cannot_be_had_is_refused_in_one_sentence(town: Town) -> None:
    made = town.join()
    town.join("lee@example.com")
    assert town.safety.change_email(made.user, "lee@example.com", GOOD) == town.safety.change_email(
        made.user, "no address", GOOD
    )
    assert key_of(town.safety.change_email(made.user, "kim@maemae.local", GOOD)) == "refuse.email"
    assert town.safety.change_email(made.user, " Kim2@Example.com", GOOD) is None
    assert isinstance(town.enter(GOOD, "kim2@example.com"), SignedIn)
    assert key_of(town.enter(GOOD)) == "refuse.credentials"


# --- over HTTP --------------------------------------------------------------------------------------------------------


def test_secrets_are_told_once_to_the_browser_and_never_to_the_log(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    kim = web.owner()
    begun = kim.post("/api/account/factor/begin", json={}).json()
    assert begun["image"].startswith("data:image/svg+xml")
    good = pyotp.TOTP(begun["secret"]).at(web.clock.now_ms() // 1000)
    codes = kim.post("/api/account/factor/confirm", json={"code": good}).json()["codes"]
    assert len(codes) == RECOVERY_CODES
    stored = repr(web.logins.factors.kept) + repr(web.logins.factors.codes)
    for secret in (begun["secret"], good, *codes):
        assert secret not in caplog.text
        assert secret not in stored
        assert secret not in kim.get("/api/auth/me").text
    body = {"email": "kim@example.com", "password": GOOD}
    assert kim.post("/api/auth/login", json=body).json()["error"] == "refuse.code"
    assert kim.post("/api/auth/login", json={**body, "code": codes[0]}).status_code == 200


def test_a_session_that_has_not_proved_itself_is_told_so_and_may_do_it(web: Web) -> None:
    kim = web.owner()
    web.clock.forward(minutes=6)
    answer = kim.post("/api/account/password", json={"old": GOOD, "new": NEW})
    assert (answer.status_code, answer.json()["error"]) == (403, "refuse.step_up")
    assert kim.post("/api/account/prove", json={"password": GOOD}).status_code == 200
    assert kim.post("/api/account/password", json={"old": GOOD, "new": NEW}).status_code == 200
