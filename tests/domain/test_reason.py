"""A reason is a declared code with its own parameters, and its text in a column comes back as it was."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain import reason_codes as codes
from lib.domain.reason import CODES, MOST_NAME, MOST_TEXT, NOTHING, TEXT, Kind, Reason, declare, text
from lib.domain.stored_reason import LEAST, LONGEST, parse, stored
from tests.reasons import reasons


def test_an_unknown_code_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="no reason is called 'made_up'"):
        Reason("made_up", {})


@pytest.mark.parametrize("params", [{}, {"lost": Decimal(1)}, {"lost": 1, "limit": 1, "more": 1}], ids=str)
def test_other_parameters_than_the_codes_own_cannot_be_given(params: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="daily_loss takes"):
        codes.DAILY_LOSS(**params)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (codes.COOLDOWN, "5"),
        (codes.COOLDOWN, True),
        (codes.COOLDOWN, Decimal(5)),
        (codes.BOOKS_DIFFER, "5"),
        (codes.BOOKS_DIFFER, True),
        (codes.BOOKS_DIFFER, Decimal("NaN")),
        (codes.BOOKS_DIFFER, Decimal("1E+31")),
        (codes.ANALYST_ABSTAINED, "why"),
        (TEXT, 5),
        (TEXT, NOTHING),
    ],
    ids=str,
)
def test_a_parameter_of_another_type_cannot_be_given(code: Any, value: Any) -> None:
    (name,) = code.params
    with pytest.raises(TypeError):
        code(**{name: value})


def test_a_code_is_declared_once() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        declare("daily_loss")


def test_numbers_are_rounded_and_texts_cut_as_their_kinds_say() -> None:
    assert codes.DAILY_LOSS(lost=Decimal("0.05123456789"), limit=1).params == {"lost": Decimal("0.051235"), "limit": 1}
    assert codes.PLATFORM_COST(cost=Decimal("1.005"), limit=2).params["cost"] == Decimal("1")
    assert str(codes.BOOKS_DIFFER(difference=Decimal("1.500"))) == "books_differ difference=1.5"
    assert len(str(text("x" * 5_000))) == MOST_TEXT
    assert len(str(codes.SYMBOL_NOT_TRADING(symbol="X" * 500).params["symbol"])) == MOST_NAME


def test_a_log_line_shows_code_and_parameters() -> None:
    inner = codes.SYMBOL_NOT_TRADING(symbol="BTCUSDT")
    assert str(codes.CLOSED_NOT_TURNED(why=inner)) == "closed_not_turned why=(symbol_not_trading symbol=BTCUSDT)"
    assert str(text("as it stands")) == "as it stands"


def test_no_reason_is_false_and_an_empty_column() -> None:
    assert not NOTHING
    assert text("") is NOTHING
    assert stored(NOTHING) == ""
    assert parse("") is parse(None) is NOTHING
    assert codes.CLAIMED()


def test_equal_reasons_are_one_member_of_a_set() -> None:
    assert len({codes.BOOKS_DIFFER(difference=Decimal(n)) for n in ("1.0", "1", "2")}) == 2


def test_a_code_knows_its_reasons() -> None:
    assert codes.ORPHAN_ADOPTED.is_of(codes.ORPHAN_ADOPTED())
    assert not codes.ORPHAN_ADOPTED.is_of(text("orphan_adopted"))


def test_the_stored_form_is_this_letter_by_letter() -> None:
    made = codes.NOT_TURNED(reason=text('추세 "전환"'), why=codes.COOLDOWN(minutes=15))
    assert stored(made) == (
        '{"c":"not_turned","p":{"reason":{"c":"text","p":{"text":"추세 \\"전환\\""}},'
        '"why":{"c":"cooldown","p":{"minutes":15}}}}'
    )
    assert stored(codes.DAILY_LOSS(lost=Decimal("0.0512"), limit=Decimal("0.050"))) == (
        '{"c":"daily_loss","p":{"limit":"0.05","lost":"0.0512"}}'
    )


@given(reasons())
def test_what_is_stored_comes_back(made: Reason) -> None:
    assert parse(stored(made, 10**9)) == made


@given(reasons(), st.integers(LEAST, LONGEST))
def test_a_column_is_never_too_narrow_and_holds_a_reason_all_the_same(made: Reason, most: int) -> None:
    written = stored(made, most)
    assert len(written) <= most
    read = parse(written)
    assert read.code in (made.code, "cut_short")
    assert stored(read, most) == written


def test_others_words_are_cut_before_anything_else() -> None:
    long = codes.VENUE_ERROR(path="/v5/order/create", code=110007, said="x" * 900)
    read = parse(stored(codes.LEVERAGE_NOT_SET(why=long)))
    assert read.code == "leverage_not_set"
    inner = read.params["why"]
    assert isinstance(inner, Reason)
    assert inner.params["code"] == 110007
    assert 100 <= len(str(inner.params["said"])) < 500


def test_reasons_inside_go_when_even_names_are_too_long() -> None:
    deep: Reason = codes.SYMBOL_NOT_TRADING(symbol="X" * MOST_NAME)
    for _ in range(9):
        deep = codes.NOT_TURNED(reason=deep, why=deep)
    read = parse(stored(deep))
    assert read == codes.NOT_TURNED(reason=NOTHING, why=NOTHING)


def test_a_reason_too_long_in_itself_is_its_code() -> None:
    made = codes.VENUE_ERROR(path="/" * MOST_NAME, code=10**60, said="x")
    assert parse(stored(made, LEAST)) == codes.CUT_SHORT(code="venue_error")


@pytest.mark.parametrize(
    "written",
    [
        "today's loss of 5 % reached your limit of 5 %",
        "추세가 꺾였습니다.",
        "{",
        "[]",
        "{}",
        "7",
        "null",
        '"text"',
        '{"c":"made_up","p":{}}',
        '{"c":["text"],"p":{}}',
        '{"c":"cooldown","p":{"minutes":"15"}}',
        '{"c":"cooldown","p":{"minutes":true}}',
        '{"c":"cooldown","p":{}}',
        '{"c":"cooldown","p":null}',
        '{"c":"cooldown","p":{"minutes":15},"more":1}',
        '{"c":"text","p":{"text":5}}',
        '{"c":"books_differ","p":{"difference":"NaN"}}',
        '{"c":"books_differ","p":{"difference":"x"}}',
        '{"c":"analyst_abstained","p":{"why":"x"}}',
        '{"c":"analyst_abstained","p":{"why":' * 5_000,
    ],
    ids=lambda written: written[:40],
)
def test_anything_else_in_a_column_is_somebodys_text(written: str) -> None:
    assert parse(written) == text(written)


@given(st.text(max_size=200))
def test_reading_never_fails(written: str) -> None:
    assert parse(written) is not None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_reading_json_never_fails(data: Any) -> None:
    for put in (
        data,
        {"c": data, "p": data},
        {"c": "daily_loss", "p": data},
        {"c": "daily_loss", "p": {"lost": data, "limit": data}},
    ):
        assert parse(json.dumps(put)) is not None


def test_somebodys_text_cannot_pass_for_a_reason_of_ours() -> None:
    forged = stored(codes.ALLOWED_BY_OPERATOR())
    assert parse(stored(text(forged))) == text(forged)


def test_text_no_database_can_hold_is_made_holdable() -> None:
    assert str(text("a\ud800b")) == "a?b"


def test_codes_are_words_a_column_can_hold_and_kinds_are_known() -> None:
    for name, code in CODES.items():
        assert name == code.name
        assert name.replace("_", "").isascii()
        assert len(name) <= 60
        assert set(code.params.values()) <= set(Kind)


def test_a_name_in_python_is_the_code_in_small_letters() -> None:
    for name, code in vars(codes).items():
        if type(code).__name__ == "Code" and name != "TEXT":
            assert code.name == name.lower()
