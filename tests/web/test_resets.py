"""A forgotten password: one link, once, for half an hour, and the same words for whoever asks."""

import logging

import pytest

from lib.accounts.resets import LINK_MS, ResetDesk, Words, link_by_operator
from lib.accounts.web import Origin, SignedIn
from lib.domain.trail import Actor, TrailEvent
from tests.web.conftest import Web
from tests.web.test_second_factor import enrol
from tests.web.town import GOOD, HOME, Town, key_of

NEW = "four unrelated horses staple"
WORDS = Words("subject", "go to {link} now")


def mailed(town: Town, email: str = "kim@example.com") -> str:
    """The token of the letter that asking brings."""
    assert town.resets.ask(email, WORDS, HOME) is None
    return token_in(town.mailer.sent[-1].body)


def token_in(body: str) -> str:
    return body.partition("https://trade.test/reset#")[2].partition(" ")[0]


def by_operator(town: Town, *, drops_factor: bool = False) -> str:
    now = town.clock.now_ms()
    path = link_by_operator(town.logins, town.links, "kim@example.com", now, drops_factor=drops_factor)
    return path.removeprefix("/reset#")


def test_the_link_gives_a_new_password_once_and_ends_every_session(town: Town) -> None:
    made = town.join()
    token = mailed(town)
    assert town.mailer.sent[-1].to == "kim@example.com"
    assert town.resets.finish(token, NEW, HOME) is None
    assert town.people.user_of(made.token) is None
    assert key_of(town.resets.finish(token, GOOD, HOME)) == "refuse.reset"
    assert key_of(town.enter(GOOD)) == "refuse.credentials"
    assert isinstance(town.enter(NEW), SignedIn)
    noted = [(note.event, note.actor) for note in town.trail.notes]
    assert (TrailEvent.RESET_ASKED, Actor.STRANGER) in noted
    assert (TrailEvent.PASSWORD_RESET, Actor.STRANGER) in noted


def test_asking_for_a_stranger_a_guest_or_the_demo_is_answered_alike_and_mails_nothing(town: Town) -> None:
    guest = town.guest()
    town.join()
    asked = [
        town.resets.ask(email, WORDS, Origin(f"198.51.100.{n}"))
        for n, email in enumerate(
            ("nobody@example.com", guest.user.email, "no address", "", "x" * 300, "kim@example.com")
        )
    ]
    assert set(asked) == {None}
    assert [letter.to for letter in town.mailer.sent] == ["kim@example.com"]


def test_asking_is_paced_by_address_and_by_e_mail_whoever_it_is(town: Town) -> None:
    for email in ("nobody@example.com", "kim@example.com"):
        answers = [town.resets.ask(email, WORDS, Origin(f"198.51.{n}.{len(email)}")) for n in range(3)]
        assert [answer is None for answer in answers] == [True, True, False], email


def test_an_old_an_invented_and_a_replaced_link_are_one_refusal(town: Town) -> None:
    town.join()
    first = mailed(town)
    second = mailed(town)
    assert key_of(town.resets.finish(first, NEW, HOME)) == "refuse.reset"
    assert key_of(town.resets.finish("x" * 43, NEW, HOME)) == "refuse.reset"
    town.clock.forward(seconds=LINK_MS // 1000)
    assert key_of(town.resets.finish(second, NEW, HOME)) == "refuse.reset"


def test_a_weak_password_uses_up_no_link(town: Town) -> None:
    town.join()
    token = mailed(town)
    assert key_of(town.resets.finish(token, "short", HOME)) == "refuse.password.short"
    assert key_of(town.resets.finish(token, "kim@example.com", HOME)) == "refuse.password.email"
    assert town.resets.finish(token, NEW, HOME) is None


def test_a_new_password_still_wants_the_second_factor(town: Town) -> None:
    made = town.join()
    _, codes = enrol(town, made.user)
    assert town.resets.finish(mailed(town), NEW, HOME) is None
    assert key_of(town.enter(NEW)) == "refuse.credentials"
    assert isinstance(town.enter(NEW, code=codes[0]), SignedIn)


def test_an_operators_link_says_who_made_it_and_may_take_the_second_factor_off(town: Town) -> None:
    made = town.join()
    enrol(town, made.user)
    assert town.resets.finish(by_operator(town, drops_factor=True), NEW, HOME) is None
    assert isinstance(town.enter(NEW), SignedIn)
    assert (TrailEvent.RESET_LINK, Actor.OPERATOR) in [(note.event, note.actor) for note in town.trail.notes]
    with pytest.raises(ValueError, match="nobody"):
        link_by_operator(town.logins, town.links, "nobody@example.com", 0, drops_factor=False)


def test_where_no_mail_is_sent_everybody_is_told_so(town: Town) -> None:
    town.join()
    desk = ResetDesk(town.stores, town.links, town.clock, mailer=None, public_url="", later=lambda job: job())
    for email in ("kim@example.com", "nobody@example.com"):
        assert key_of(desk.ask(email, WORDS, HOME)) == "refuse.reset.by_operator"


def test_over_http_a_link_is_in_the_letter_alone(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    web.owner()
    stranger = web.client()
    known = stranger.post("/api/auth/reset/ask", json={"email": "kim@example.com", "locale": "en"})
    unknown = stranger.post("/api/auth/reset/ask", json={"email": "nobody@example.com"})
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (200, b'{"ok":true}')
    letter = web.mailer.sent[0]
    token = token_in(letter.body.replace("\n", " "))
    assert "Choose a new password" in letter.body
    assert len(token) == 43
    assert token not in caplog.text + repr(letter) + repr(web.system.resets)
    assert stranger.post("/api/auth/reset", json={"token": token, "password": NEW}).status_code == 200
    assert stranger.get("/api/auth/me").status_code == 401
    body = {"email": "kim@example.com", "password": NEW}
    assert stranger.post("/api/auth/login", json=body).status_code == 200
