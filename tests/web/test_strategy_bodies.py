"""What a program may say of a strategy's content."""

from decimal import Decimal

import pytest

from app.api.strategies import _PARTS, _content
from app.http.fields import BadInput, Fields
from lib.domain.exit_rules import NO_RULES, ExitRules


def test_rules_of_exits_are_read_and_what_is_left_out_is_off() -> None:
    given = {"break_even_r": "1", "trail_r": "1.5", "trail_from_r": "0.75", "time_stop_min": 90}
    wanted = ExitRules(Decimal(1), 90, Decimal("1.5"), Decimal("0.75"))
    assert _content(Fields({"content": {"rules": given}})).rules == wanted
    assert _content(Fields({"content": {"rules": {"time_stop_min": 90}}})).rules == ExitRules(time_stop_min=90)
    assert _content(Fields({"content": {}})).rules == NO_RULES


@pytest.mark.parametrize("odd", [{"x": 1}, {"break_even_r": 1.5}, {"trail_r": "6"}, {"time_stop_min": "90"}, []])
def test_odd_rules_are_refused(odd: object) -> None:
    with pytest.raises(BadInput):
        _content(Fields({"content": {"rules": odd}}))


def test_rules_are_described_by_their_own_fields() -> None:
    (described,) = [part.schema for part in _PARTS if part.name == "rules"]
    assert set(described["properties"]) == {"break_even_r", "trail_r", "trail_from_r", "time_stop_min"}
