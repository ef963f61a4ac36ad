"""Passkeys: whose they are, what they open, and that no challenge is good twice or for anything else."""

import base64
import json

import pytest

from lib.accounts.passkeys import CHALLENGE_MS, Asked
from lib.accounts.refusal import Refusal
from lib.accounts.step_up import UNPROVED
from lib.accounts.web import SessionUser, SignedIn
from lib.adapters.passkey_check import WebAuthnCheck
from lib.domain.passkey import MOST_PASSKEYS, Passkey, RelyingParty
from lib.domain.trail import TrailEvent
from tests.fakes.people import written
from tests.web.conftest import Web
from tests.web.town import HOME, Town, key_of

HERE = RelyingParty("trade.test", "https://trade.test")
ELSEWHERE = RelyingParty("evil.test", "https://evil.test")


def asked(result: Asked | Refusal) -> str:
    assert isinstance(result, Asked), result
    return str(json.loads(result.options)["challenge"])


def answer(challenge: str, credential: str = "kims", *, count: int = 1, fits: str = "trade.test") -> str:
    client = base64.urlsafe_b64encode(json.dumps({"challenge": challenge}).encode()).decode()
    return json.dumps({"id": credential, "response": {"clientDataJSON": client}, "count": count, "fits": fits})


def add(town: Town, user: SessionUser, credential: str = "kims") -> None:
    challenge = asked(town.passkeys.begin(user, HERE))
    assert town.passkeys.add(user, HERE, answer(challenge, credential), "Chrome · Windows") is None


def enter(town: Town, credential: str = "kims", count: int = 1) -> SignedIn | Refusal:
    challenge = asked(town.passkeys.begin_sign_in(HERE, HOME))
    return town.passkeys.sign_in(HERE, answer(challenge, credential, count=count), HOME)


def test_a_passkey_signs_its_owner_in_and_proves_whose_session_it_is(town: Town) -> None:
    made = town.join()
    add(town, made.user)
    entered = enter(town)
    assert isinstance(entered, SignedIn)
    assert entered.user.user_id == made.user.user_id
    assert town.safety.begin_factor(entered.user) != UNPROVED
    noted = [note.event for note in town.trail.notes]
    assert TrailEvent.PASSKEY_ADDED in noted
    assert TrailEvent.SIGNED_IN_PASSKEY in noted
    town.clock.forward(minutes=6)
    assert town.passkeys.begin(entered.user, HERE) == UNPROVED
    challenge = asked(town.passkeys.begin_proof(entered.user, HERE))
    assert town.passkeys.prove(entered.user, HERE, answer(challenge, count=2)) is None
    again = town.people.user_of(entered.token)
    assert again is not None
    assert isinstance(town.passkeys.begin(again, HERE), Asked)


def test_who_signs_in_by_a_passkey_uses_up_nobodys_tries(town: Town) -> None:
    add(town, town.join().user)
    assert all(isinstance(enter(town, count=number), SignedIn) for number in range(1, 41))


def test_a_challenge_is_good_once_in_its_time_for_its_purpose_and_person(town: Town) -> None:
    kim, lee = town.join().user, town.join("lee@example.com").user
    challenge = asked(town.passkeys.begin(kim, HERE))
    assert key_of(town.passkeys.add(lee, HERE, answer(challenge), "x")) == "refuse.passkey"
    assert key_of(town.passkeys.add(kim, HERE, answer(challenge), "x")) == "refuse.passkey"  # tried, so used
    add(town, kim)
    used = asked(town.passkeys.begin_sign_in(HERE, HOME))
    assert isinstance(town.passkeys.sign_in(HERE, answer(used), HOME), SignedIn)
    assert key_of(town.passkeys.sign_in(HERE, answer(used, count=9), HOME)) == "refuse.passkey"
    old = asked(town.passkeys.begin_sign_in(HERE, HOME))
    town.clock.forward(seconds=CHALLENGE_MS // 1000 + 1)
    assert key_of(town.passkeys.sign_in(HERE, answer(old, count=9), HOME)) == "refuse.passkey"


def test_another_persons_passkey_proves_nothing(town: Town) -> None:
    kim, lee = town.join().user, town.join("lee@example.com").user
    add(town, lee, "lees")
    challenge = asked(town.passkeys.begin_proof(kim, HERE))
    assert key_of(town.passkeys.prove(kim, HERE, answer(challenge, "lees"))) == "refuse.passkey"


def test_an_unknown_a_foreign_a_cloned_and_a_removed_passkey_are_one_refusal(town: Town) -> None:
    kim = town.join().user
    add(town, kim)
    assert isinstance(enter(town, count=5), SignedIn)
    assert key_of(enter(town, "nobodys")) == "refuse.passkey"
    assert key_of(enter(town, count=5)) == "refuse.passkey"
    challenge = asked(town.passkeys.begin_sign_in(HERE, HOME))
    assert key_of(town.passkeys.sign_in(ELSEWHERE, answer(challenge, count=9), HOME)) == "refuse.passkey"
    assert key_of(town.passkeys.remove(town.join("lee@example.com").user, 1)) == "refuse.passkey.gone"
    assert town.passkeys.remove(kim, 1) is None
    assert key_of(enter(town, count=9)) == "refuse.passkey"


def test_a_passkey_of_who_left_opens_nothing(town: Town) -> None:
    made = town.join()
    add(town, made.user)
    town.logins.delete(made.user.user_id, town.clock.now_ms())
    assert key_of(enter(town)) == "refuse.passkey"


def test_a_person_keeps_a_handful_and_a_guest_none(town: Town) -> None:
    kim = town.join().user
    for number in range(MOST_PASSKEYS):
        add(town, kim, f"key-{number}")
    assert key_of(town.passkeys.begin(kim, HERE)) == "refuse.passkey.many"
    assert key_of(town.passkeys.begin(town.guest().user, HERE)) == "refuse.guest"


ODD = ("", "{}", "[]", "null", '"x"', '{"response": 1}', '{"response": {"clientDataJSON": "é"}}', "{")


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_answer_is_refused_like_any_other(town: Town, odd: str) -> None:
    kim = town.join().user
    assert key_of(town.passkeys.sign_in(HERE, odd, HOME)) == "refuse.passkey"
    assert key_of(town.passkeys.add(kim, HERE, odd, "x")) == "refuse.passkey"
    check, challenge = WebAuthnCheck(), b"c" * 32
    known = Passkey(1, 1, "YWJj", "YWJj", 0)
    assert check.registered(HERE, challenge, odd) is None
    assert check.authenticated(HERE, challenge, odd, known) is None
    real = json.dumps({"id": "YWJj", "rawId": "YWJj", "type": "public-key", "response": {"clientDataJSON": "e30"}})
    assert check.authenticated(HERE, challenge, real, known) is None
    assert check.registered(HERE, challenge, real) is None


def test_over_http_the_name_of_the_server_is_the_one_it_was_asked_by(web: Web) -> None:
    kim = web.owner()
    challenge = kim.post("/api/account/passkeys/begin", json={}).json()["options"]["challenge"]
    body = {"answer": answer(challenge, fits="testserver")}
    assert kim.post("/api/account/passkeys", json=body).json() == {"ok": True}
    stranger = web.client()
    challenge = stranger.post("/api/auth/passkey/begin", json={}).json()["options"]["challenge"]
    entered = stranger.post("/api/auth/passkey", json={"answer": answer(challenge, fits="testserver")})
    assert (entered.status_code, entered.json()["user"]["user_id"]) == (200, 2)
    assert stranger.get("/api/auth/me").status_code == 200
    unknown = stranger.post("/api/auth/passkey", json={"answer": answer(written(b"x" * 32))})
    assert (unknown.status_code, unknown.json()["error"]) == (403, "refuse.passkey")
