"""Who enters a key reads what the exchange said; "cannot be reached" is for silence alone."""

import json

import pytest

from app.api.exchange import plain
from lib.accounts.refusal import Refusal
from lib.accounts.venue_refusal import venue_refusal
from lib.domain import reason_codes as codes
from lib.domain.errors import MaemaeError, Pause, Retry
from lib.domain.reason import text as words
from lib.domain.venue_answer import VenueAnswer

OURS = ("203.0.113.7", "203.0.113.8")


def wrong_address(text: str = "Unmatched IP, please check your API key's bound IP addresses.") -> Pause:
    why = words("bound elsewhere (10010)")
    return Pause("bound elsewhere (10010)", VenueAnswer(10010, why, text, is_bound_elsewhere=True))


def test_silence_is_the_only_thing_that_cannot_be_reached() -> None:
    assert venue_refusal(Retry("no reply")) == Refusal("refuse.key.unreachable", why=words("no reply"))


@pytest.mark.parametrize("error", [Pause, Retry])
def test_what_will_not_pass_by_itself_is_a_refusal(error: type[MaemaeError]) -> None:
    answer = VenueAnswer(987, codes.BYBIT_ERROR(code=987, said="new"), "new")
    told = venue_refusal(error("anything", answer))
    assert told == Refusal("refuse.key.refused", why=codes.BYBIT_ERROR(code=987, said="new"), code=987, said="new")


def test_what_may_pass_is_told_as_that() -> None:
    answer = VenueAnswer(10016, words("busy (10016)"), "Server error", passing=True)
    assert venue_refusal(Retry("x", answer)).key == "refuse.key.later"


def test_a_pause_that_nobody_answered_is_a_refusal_in_its_own_words() -> None:
    assert venue_refusal(Pause("not unified")) == Refusal("refuse.key.refused", why=words("not unified"))


def test_reasons_go_along_one_by_one() -> None:
    answer = VenueAnswer(
        3400045, words("not changed (3400045)"), "failed", (VenueAnswer(1, words("one")), VenueAnswer(2, words("two")))
    )
    assert venue_refusal(Pause("x", answer)).reasons == (words("one"), words("two"))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Unmatched IP: request ip 198.51.100.23", "198.51.100.23"),
        ("unmatched ip:198.51.100.23.", "198.51.100.23"),
        ("from 2001:db8::7 is not bound", "2001:db8::7"),
        ("Unmatched IP, please check.", "203.0.113.7, 203.0.113.8"),
        ("version 5.17.0 of 10:20", "203.0.113.7, 203.0.113.8"),
    ],
)
def test_a_key_bound_elsewhere_is_told_our_address(text: str, address: str) -> None:
    assert venue_refusal(wrong_address(text), OURS).params["address"] == address


def test_an_address_nobody_knows_is_said_to_be_unknown_and_others_have_none() -> None:
    assert venue_refusal(wrong_address()).params["address"] == "?"
    assert "address" not in venue_refusal(Pause("x", VenueAnswer(10003, words("x"))), OURS).params
    assert json.dumps(plain(venue_refusal(wrong_address(), OURS).params))
