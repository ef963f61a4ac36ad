"""order_link_id: the same intent has the same id for ever, and no two intents share one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.order import LINK_ID_MAX, Leg, LinkId, base36, link_prefix, order_link_id, parse_link_id
from tests.factories import T, order

installations = st.from_regex(r"[a-z0-9]{1,6}", fullmatch=True)
boundaries = st.integers(0, 36**8 // 300_000 - 1).map(lambda n: n * 300_000)
legs: st.SearchStrategy[Leg] = st.sampled_from(["e", "x", "g", "f"])
intents = st.tuples(
    installations, boundaries, st.integers(0, 36**3 - 1), st.integers(0, 36**7 - 1), legs, st.integers(0, 35)
)
Intent = tuple[str, int, int, int, Leg, int]


def read_back(link: str) -> tuple[str, int, int, int, str, int]:
    head, t_ms, symbol_no, account_id, tail = link.split("-")
    return head[2:], int(t_ms, 36), int(symbol_no, 36), int(account_id, 36), tail[0], int(tail[1:], 36)


@given(intents)
def test_an_id_is_a_function_of_its_intent_and_the_intent_can_be_read_back(intent: Intent) -> None:
    assert order_link_id(*intent) == order_link_id(*intent)
    assert read_back(order_link_id(*intent)) == intent
    assert parse_link_id(order_link_id(*intent)) == LinkId(*intent)


@given(intents, intents)
def test_two_intents_have_two_ids(one: Intent, other: Intent) -> None:
    assert (order_link_id(*one) == order_link_id(*other)) is (one == other)


@given(intents)
def test_an_id_is_what_the_venue_accepts_and_begins_with_our_prefix(intent: Intent) -> None:
    made = order_link_id(*intent)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,36}", made)
    assert made.startswith(link_prefix(intent[0]))


@given(installations, installations)
def test_no_installation_mistakes_anothers_orders_for_its_own(one: str, other: str) -> None:
    assert link_prefix(one).startswith(link_prefix(other)) is (one == other)


def test_an_id_pinned_for_ever() -> None:
    # changing this would let a twin of an order already sent be accepted
    assert order_link_id("ab12", 1_760_000_100_000, 1, 42, "e", 0) == "mmab12-mgj6m8io-1-16-e0"
    assert order().order_link_id == order_link_id("t3st", T, 1, 1, "e", 0)


@pytest.mark.parametrize("installation", ["", "toolong", "AB", "a-b", "a_b", "é", "한", " a", "١"])
def test_an_installation_is_one_to_six_plain_characters(installation: str) -> None:
    with pytest.raises(ValueError, match="installation id"):
        order_link_id(installation, T, 1, 1, "e", 0)


@pytest.mark.parametrize("seq", [-1, 36])
def test_seq_is_one_digit(seq: int) -> None:
    with pytest.raises(ValueError, match="seq is 0 to 35"):
        order_link_id("a", T, 1, 1, "e", seq)


def test_an_id_too_long_for_the_venue_is_never_made() -> None:
    longest = order_link_id("abcdef", T, 36**3 - 1, 36**11 - 1, "e", 0)
    assert len(longest) == LINK_ID_MAX
    with pytest.raises(ValueError, match="longer than 36"):
        order_link_id("abcdef", T, 36**3 - 1, 36**11, "e", 0)


@given(st.integers(0, 2**70))
def test_base36_is_pythons_own_reading_backwards(number: int) -> None:
    assert int(base36(number), 36) == number
    assert base36(number) == "0" or not base36(number).startswith("0")


def test_base36_has_no_minus() -> None:
    with pytest.raises(ValueError, match=">= 0"):
        base36(-1)


def test_an_entry_is_what_may_grow_a_position() -> None:
    assert order("e").is_entry
    assert not order("x").is_entry
