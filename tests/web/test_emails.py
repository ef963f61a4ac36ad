"""A new e-mail: one link to it, once, for half an hour, and the same words whoever has the address already."""

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from app.i18n import catalogue
from lib.accounts.emails import EmailWords
from lib.accounts.refusal import Refusal
from lib.accounts.resets import LINK_MS, Words
from lib.accounts.safety import Safety
from lib.accounts.web import Origin, SignedIn
from lib.domain.trail import Actor, Note, TrailEvent
from tests.web.conftest import Web
from tests.web.test_people import Meanwhile
from tests.web.town import GOOD, HOME, Town, key_of

NEW = "kim@elsewhere.example"
LETTERS = {
    language: EmailWords(
        Words(f"link {language}", "go to {link} now"), Words(f"asked {language}", ""), Words(f"done {language}", "")
    )
    for language in ("ko", "en")
}


def ask(town: Town, made: SignedIn, email: str = NEW) -> Refusal | None:
    return town.safety.change_email(made.user, email, GOOD, LETTERS)


def mailed(town: Town) -> str:
    """The token of the newest letter with a link."""
    bodies = [letter.body for letter in town.mailer.sent if "/email#" in letter.body]
    return bodies[-1].partition("https://trade.test/email#")[2].partition(" ")[0]


def sent(town: Town) -> list[tuple[str, str]]:
    return [(letter.to, letter.subject) for letter in town.mailer.sent]


def finish(town: Town, token: str, session_id: int = 0) -> Refusal | None:
    return town.emails.finish(token, LETTERS, HOME, session_id)


def test_the_old_address_signs_in_until_the_link_is_followed_and_is_told_twice(town: Town) -> None:
    made = town.join()
    assert ask(town, made, f" {NEW.upper()}") is None
    assert sent(town) == [("kim@example.com", "asked ko"), (NEW, "link ko")]
    assert isinstance(town.enter(GOOD), SignedIn)
    token = mailed(town)
    assert town.emails.look(token, HOME) == town.emails.look(token, HOME) == NEW
    assert key_of(town.enter(GOOD, NEW)) == "refuse.credentials"
    assert finish(town, token, made.user.session_id) is None
    assert sent(town)[2:] == [("kim@example.com", "done ko")]
    assert isinstance(town.enter(GOOD, NEW), SignedIn)
    assert key_of(town.enter(GOOD)) == "refuse.credentials"
    assert key_of(finish(town, token)) == key_of(town.emails.look(token, HOME)) == "refuse.email.link"
    now = town.people.user_of(made.token)
    assert now is not None
    assert now.email == NEW
    noted = [(note.event, note.actor) for note in town.trail.notes]
    assert (TrailEvent.EMAIL_ASKED, Actor.OWNER) in noted
    assert (TrailEvent.EMAIL_CONFIRMED, Actor.STRANGER) in noted


@pytest.mark.parametrize("here", ["where it was asked", "elsewhere", "a stranger's browser", "somebody else's"])
def test_the_change_ends_every_session_but_the_one_in_which_the_link_is_followed(town: Town, here: str) -> None:
    made, other = town.join(), town.enter(GOOD)
    lee = town.join("lee@example.com")
    assert isinstance(other, SignedIn)
    followed = {"where it was asked": made, "elsewhere": other, "somebody else's": lee}.get(here)
    assert ask(town, made) is None
    assert town.people.user_of(other.token) is not None, "asking ends nothing"
    assert finish(town, mailed(town), followed.user.session_id if followed else 0) is None
    alive = [town.people.user_of(session.token) is not None for session in (made, other, lee)]
    assert alive == [followed is made, followed is other, True]


def test_without_mail_the_change_ends_every_session_but_the_one_that_asks(town: Town) -> None:
    made, other = town.join(), town.enter(GOOD)
    assert isinstance(other, SignedIn)
    assert town.safety.change_email(made.user, NEW, GOOD) is None
    assert town.people.user_of(made.token) is not None
    assert town.people.user_of(other.token) is None


def test_each_letter_is_in_its_owners_language(town: Town) -> None:
    made = town.join()
    town.logins.change_looks(1, "en", "language")
    english = replace(made, user=replace(made.user, locale="en"))
    assert ask(town, english) is None
    assert finish(town, mailed(town)) is None
    assert [subject for _, subject in sent(town)] == ["asked en", "link en", "done en"]


def test_asking_for_an_address_that_is_somebodys_is_answered_alike_and_mails_its_owner_nothing(town: Town) -> None:
    made = town.join()
    town.join("lee@example.com")
    before = len(town.trail.notes)
    jobs: list[int] = []
    answers = []
    for email in ("lee@example.com", NEW):
        answers.append(ask(town, made, email))
        jobs.append(len(town.trail.notes))
    assert answers == [None, None]
    assert [jobs[0] - before, jobs[1] - jobs[0]] == [1, 1]
    assert sent(town) == [("kim@example.com", "asked ko"), ("kim@example.com", "asked ko"), (NEW, "link ko")]


def test_the_answer_asks_nobody_whose_address_it_is_before_it_is_given(town: Town) -> None:
    """In one time: what differs is put off, the store is asked the same."""
    made = town.join()
    put_off: list[Callable[[], None]] = []
    town.join("lee@example.com")
    town.emails._later = put_off.append
    looked: list[str] = []
    find = town.logins.find
    town.logins.find = lambda email: looked.append(email) or find(email)  # type: ignore[method-assign, func-returns-value]
    for email in ("lee@example.com", NEW):
        assert ask(town, made, email) is None
    assert (looked, len(put_off)) == ([], 4)
    for job in put_off:
        job()
    assert looked == ["lee@example.com", NEW]


def test_asking_is_paced_by_address_whoever_has_it(town: Town) -> None:
    people = [town.join("lee@example.com"), town.join("a@example.com"), town.join("b@example.com")]
    for email in ("lee@example.com", "nobody@example.com"):
        asked = [ask(town, made, email) for made in people]
        assert [answer is None for answer in asked] == [True, True, False], email


def test_an_old_an_invented_a_replaced_and_a_taken_link_are_one_refusal(town: Town) -> None:
    made = town.join()
    assert ask(town, made) is None
    first = mailed(town)
    assert ask(town, made, "kim@third.example") is None
    second = mailed(town)
    assert finish(town, first) == finish(town, "x" * 43) == Refusal("refuse.email.link")
    town.join("kim@third.example")
    assert town.emails.look(second, HOME) == "kim@third.example"
    assert finish(town, second) == Refusal("refuse.email.link")
    town.clock.forward(minutes=120)
    assert isinstance(again := town.enter(GOOD), SignedIn)
    assert ask(town, again) is None
    third = mailed(town)
    town.clock.forward(seconds=LINK_MS // 1000)
    assert finish(town, third) == town.emails.look(third, HOME) == Refusal("refuse.email.link")
    assert isinstance(town.enter(GOOD), SignedIn)


def test_a_password_change_ends_the_link(town: Town) -> None:
    made = town.join()
    assert ask(town, made) is None
    assert town.safety.change_password(made.user, GOOD, "four unrelated horses staple") is None
    assert key_of(finish(town, mailed(town))) == "refuse.email.link"


def test_a_reset_that_overtakes_the_asking_leaves_no_link(town: Town) -> None:
    made = town.join()
    note = Note(1, town.clock.now_ms(), TrailEvent.PASSWORD_RESET)

    def reset() -> None:
        town.logins.change_password(1, "$quick$the owner's", note, verified=f"$quick${GOOD}")

    stores = replace(town.stores, hasher=Meanwhile(reset))
    late = Safety(stores, town.clock, town.leaving, town.emails)
    assert key_of(late.change_email(made.user, NEW, GOOD, LETTERS)) == "refuse.password.wrong"
    assert (town.logins.email_links, town.mailer.sent) == ({}, [])


def test_trying_links_is_paced(town: Town) -> None:
    far = Origin("198.51.100.1")
    assert {key_of(town.emails.finish("x" * 43, LETTERS, far)) for _ in range(10)} == {"refuse.email.link"}
    assert key_of(town.emails.finish("x" * 43, LETTERS, far)) != "refuse.email.link"


@pytest.mark.parametrize("language", ["ko", "en"])
def test_over_http_a_link_is_in_the_letter_to_the_new_address_alone(
    web: Web, caplog: pytest.LogCaptureFixture, language: str
) -> None:
    caplog.set_level(logging.DEBUG)
    kim, words = web.owner(), catalogue(language)
    assert kim.post("/api/auth/demo", json={}).is_success
    kim = web.client()
    assert kim.post("/api/auth/login", json={"email": "kim@example.com", "password": GOOD}).is_success
    web.logins.change_looks(2, language, "language")
    asked = kim.post("/api/account/email", json={"email": NEW, "password": GOOD})
    assert (asked.status_code, asked.content) == (200, b'{"ok":true}')
    told, letter = web.mailer.sent
    assert (told.to, told.subject) == ("kim@example.com", words["letter.email_asked_subject"])
    assert (letter.to, letter.subject) == (NEW, words["letter.email_subject"])
    token = letter.body.partition("https://trade.test/email#")[2].partition("\n")[0]
    assert len(token) == 43
    assert NEW not in told.body
    assert "kim@example.com" not in letter.body
    assert token not in caplog.text + told.body + repr(letter) + repr(web.system.emails)
    stranger = web.client()
    assert stranger.get(f"/api/auth/email?token={token}").status_code in (404, 405)
    for _ in range(2):
        assert stranger.post("/api/auth/email/look", json={"token": token}).json() == {"email": NEW}
    assert kim.get("/api/auth/me").json()["user"]["email"] == "kim@example.com"
    assert stranger.post("/api/auth/email", json={"token": token}).status_code == 200
    assert stranger.get("/api/auth/me").status_code == kim.get("/api/auth/me").status_code == 401
    assert kim.post("/api/auth/login", json={"email": NEW, "password": GOOD}).is_success
    assert kim.get("/api/auth/me").json()["user"]["email"] == NEW
    done = web.mailer.sent[-1]
    assert (done.to, done.subject) == ("kim@example.com", words["letter.email_done_subject"])
    again = stranger.post("/api/auth/email", json={"token": token})
    looked = stranger.post("/api/auth/email/look", json={"token": token})
    assert again.json()["error"] == looked.json()["error"] == "refuse.email.link"
