"""Months cover all of time, each moment once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.months import month_of, month_span, months_in

NOON_2024 = 1_709_208_000_000


@given(st.integers(0, 4_000_000_000_000))
def test_a_moment_is_in_its_month_alone(at_ms: int) -> None:
    begin, end = month_span(month_of(at_ms))
    assert begin <= at_ms < end
    assert month_of(end) != month_of(end - 1) == month_of(begin)


def test_months_of_a_span_are_in_order_and_none_is_left_out() -> None:
    assert months_in(NOON_2024, NOON_2024) == []
    assert months_in(NOON_2024, NOON_2024 + 1) == ["2024-02"]
    assert months_in(*month_span("2024-02")) == ["2024-02"]
    assert months_in(month_span("2023-11")[0], month_span("2024-02")[0] + 1) == [
        "2023-11",
        "2023-12",
        "2024-01",
        "2024-02",
    ]


@pytest.mark.parametrize("name", ["", "2024", "2024-13", "2024-00", "24-01", "2024-1", "../2024-01", "2024-01-01"])
def test_what_names_no_month_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a month"):
        month_span(name)
