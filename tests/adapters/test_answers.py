"""What Bybit says instead of yes becomes one sentence and one value, whatever bytes it says it in."""

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.adapters.bybit.answers import MEANING_OF, MEANINGS, answer_of, blocked_answer
from lib.adapters.bybit.codes import GROUPS, KINDS, Kind
from lib.domain import reason_codes as codes
from lib.domain.venue_answer import LONGEST_TEXT, MOST_REASONS, VenueAnswer
from tests.reasons import english


def answered(code: int, text: str = "", result: Any = None, status: int = 200) -> VenueAnswer:
    body = {"retCode": code, "retMsg": text, "result": result or {}, "time": 0}
    found = answer_of(status, json.dumps(body).encode(), ("the-secret",))
    assert found is not None
    return found


def test_no_code_has_two_sentences_and_each_is_in_the_table_of_reactions() -> None:
    assert sum(map(len, MEANINGS.values())) == len(MEANING_OF)
    assert set(MEANING_OF) <= set(KINDS)


def test_every_code_that_only_its_owner_can_mend_has_a_sentence() -> None:
    assert [code for code in GROUPS[Kind.OWNER] if code not in MEANING_OF] == []


@pytest.mark.parametrize("code", MEANING_OF)
def test_a_listed_code_is_told_in_our_words_with_the_code_beside_it(code: int) -> None:
    found = answered(code, "Bybit's own words")
    assert found.why == MEANING_OF[code](code=code)
    assert found.text == "Bybit's own words"
    assert found.passing == (KINDS[code] in (Kind.BUSY, Kind.CLOCK, Kind.MAYBE))


def test_a_key_bound_to_other_addresses_is_told_apart() -> None:
    assert answered(10010, "Unmatched IP").is_bound_elsewhere
    assert not answered(10003, "API key is invalid.").is_bound_elsewhere
    assert not (answer_of(403, b'{"retCode": 10010}') or pytest.fail("no answer")).is_bound_elsewhere


def test_an_unlisted_code_is_told_in_bybits_words() -> None:
    assert answered(987654, "Something new").why == codes.BYBIT_ERROR(code=987654, said="Something new")


def test_a_refusal_under_another_http_status_keeps_its_code() -> None:
    assert answered(10003, "API key is invalid.", status=401).code == 10003
    assert answer_of(401, b"") == VenueAnswer(401, codes.BYBIT_KEY_REFUSED(), is_http=True)


def test_a_403_says_whether_it_is_about_the_country_or_the_calls() -> None:
    cloud = b"<html>The Amazon CloudFront distribution is configured to block access from your country"
    pages = (b"access too frequent", cloud, b"<html>Forbidden</html>")
    often, country, either = (answer_of(403, page) or pytest.fail("no answer") for page in pages)
    assert often == blocked_answer()
    assert "does not serve the country" in english(country.why)
    assert "or a region" in english(either.why)


def test_reasons_are_few_and_short_and_rows_that_are_none_are_left_out() -> None:
    rows = ["no", None, *({"reasonCode": "1", "reasonMsg": "x" * 900} for _ in range(40))]
    found = answered(3400045, "failed", {"reasons": rows})
    assert len(found.reasons) <= MOST_REASONS
    assert all(len(reason.text) <= LONGEST_TEXT for reason in found.reasons)
    assert answered(3400045, "failed", {"reasons": "odd"}).reasons == ()
    assert answered(3400045, "failed", {"reasons": [{"reasonCode": "x"}]}).reasons[0].code == 0


def test_what_is_to_be_hidden_is_hidden_in_words_and_reasons() -> None:
    rows = [{"reasonCode": "1", "reasonMsg": "of the-secret"}]
    found = answered(10004, "sign of the-secret is wrong", {"reasons": rows})
    assert "the-secret" not in repr(found)


def controls(text: str) -> list[str]:
    return [letter for letter in text if unicodedata.category(letter).startswith("C")]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
shaped = st.fixed_dictionaries(
    {}, optional={"retCode": json_values, "retMsg": json_values, "result": json_values, "time": json_values}
)


@given(st.integers(200, 599), st.binary(max_size=300) | shaped.map(lambda body: json.dumps(body).encode()))
def test_any_bytes_are_an_answer_or_trouble_on_the_way(status: int, body: bytes) -> None:
    found = answer_of(status, body)
    assert (found is None) == (status >= 500)
    if found is not None:
        assert len(found.text) <= LONGEST_TEXT
        assert not controls(found.text)
        assert found.why


@given(st.text(min_size=300, max_size=4_000))
def test_words_of_any_length_and_any_script_are_cut_and_printable(text: str) -> None:
    found = answered(10001, text)
    assert len(found.text) <= LONGEST_TEXT
    assert not controls(found.text)
