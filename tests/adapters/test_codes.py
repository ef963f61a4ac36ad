"""Every venue code means one thing, and nothing unknown is taken for success or absence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.adapters.bybit.codes import KINDS, Kind, Reaction, alarming, reaction


@pytest.mark.parametrize(
    ("code", "read", "write"),
    [
        (0, Reaction.OK, Reaction.OK),
        (110043, Reaction.OK, Reaction.OK),
        (34040, Reaction.OK, Reaction.OK),
        (110025, Reaction.OK, Reaction.OK),
        (10002, Reaction.RETRY, Reaction.RETRY),
        (10006, Reaction.RETRY, Reaction.RETRY),
        (10000, Reaction.RETRY, Reaction.UNKNOWN),
        (10016, Reaction.RETRY, Reaction.UNKNOWN),
        (110072, Reaction.RETRY, Reaction.UNKNOWN),
        (10003, Reaction.PAUSE, Reaction.PAUSE),
        (10004, Reaction.PAUSE, Reaction.PAUSE),
        (10005, Reaction.PAUSE, Reaction.PAUSE),
        (10010, Reaction.PAUSE, Reaction.PAUSE),
        (33004, Reaction.PAUSE, Reaction.PAUSE),
        (110007, Reaction.RETRY, Reaction.REJECT),
        (110013, Reaction.RETRY, Reaction.REJECT),
        (110017, Reaction.RETRY, Reaction.REJECT),
        (10001, Reaction.RETRY, Reaction.REJECT),
        (424242, Reaction.RETRY, Reaction.UNKNOWN),
    ],
)
def test_a_code_has_one_reaction_per_direction(code: int, read: Reaction, write: Reaction) -> None:
    assert (reaction(code, 200, is_write=False), reaction(code, 200, is_write=True)) == (read, write)


@pytest.mark.parametrize(
    ("status", "read", "write"),
    [
        (401, Reaction.PAUSE, Reaction.PAUSE),
        (403, Reaction.RETRY, Reaction.RETRY),
        (404, Reaction.RETRY, Reaction.REJECT),
        (429, Reaction.RETRY, Reaction.UNKNOWN),
        (500, Reaction.RETRY, Reaction.UNKNOWN),
        (502, Reaction.RETRY, Reaction.UNKNOWN),
        (302, Reaction.RETRY, Reaction.UNKNOWN),
        (200, Reaction.RETRY, Reaction.UNKNOWN),
    ],
)
def test_without_a_readable_code_the_status_decides(status: int, read: Reaction, write: Reaction) -> None:
    assert (reaction(None, status, is_write=False), reaction(None, status, is_write=True)) == (read, write)


@given(st.integers(-100, 4_000_000), st.sampled_from([200, 301, 400, 401, 403, 404, 429, 500, 503]), st.booleans())
def test_only_a_listed_code_over_http_200_is_success(code: int, status: int, is_write: bool) -> None:
    if reaction(code, status, is_write) is Reaction.OK:
        assert status == 200
        assert KINDS[code] is Kind.OK


@given(st.integers(-100, 4_000_000).filter(lambda code: code not in KINDS))
def test_an_unlisted_code_is_unknown_for_writes_and_alarms(code: int) -> None:
    assert reaction(code, 200, is_write=True) is Reaction.UNKNOWN
    assert reaction(code, 200, is_write=False) is Reaction.RETRY
    assert alarming(code, 200)


def test_hedge_mode_is_the_owners_business_though_it_comes_as_a_parameter_error() -> None:
    text = "params error: position idx not match position mode"
    assert reaction(10001, 200, is_write=True, message=text) is Reaction.PAUSE
    assert not alarming(10001, 200, text)
    assert alarming(10001, 200, "qty invalid")


def test_expected_trouble_does_not_alarm() -> None:
    assert not any(alarming(code, 200) for code in (0, 10002, 10006, 110007, 110043, 110072))
