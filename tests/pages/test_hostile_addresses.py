"""An address with what no honest link holds draws the page and never a traceback."""

import pytest

from tests.pages.conftest import Visit

ODD = ("", "-1", "9" * 19, "\u0663", "NaN", "a" * 5_000, "\x00", "\u202e", "<script>")
NAMES = ("log", "outcome", "span", "lang", "step", "symbol", "door", "before", "after", "nobody_knows")


@pytest.mark.parametrize("page", ["dashboard", "trade_logs"])
@pytest.mark.parametrize("value", ODD)
def test_no_query_of_a_page_is_too_odd(visit: Visit, page: str, value: str) -> None:
    at = visit("t-owner", page, "ko", **dict.fromkeys(NAMES, value))
    assert not at.exception


@pytest.mark.parametrize("value", ODD[-3:])
def test_no_query_of_the_front_door_is_too_odd(visit: Visit, value: str) -> None:
    assert not visit(None, "dashboard", "ko", **dict.fromkeys(NAMES, value)).exception
