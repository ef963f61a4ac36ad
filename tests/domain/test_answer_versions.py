"""What an answer may say has versions: the second adds close and tighten, the first is the original design's."""

import json
from decimal import Decimal
from typing import Any

import pytest

from lib.adapters.openai.profile import FORMATS, Profile, fields_of
from lib.adapters.openai.schema import RESPONSE_FORMATS
from lib.adapters.sql.ledger.analysis import decision_json, read_decision
from lib.domain import reason_codes as codes
from lib.domain.analyst_call import Prompt
from lib.domain.decision import (
    ACTIONS,
    CLOSE_FRACTION,
    NEEDED,
    NUMBERS,
    Abstained,
    AnswerVersion,
    Decision,
    answer_version,
    keys_of,
    parse_decision,
)
from tests.factories import answer_json, decision

CLOSE: dict[str, Any] = {"action": "close", "confidence": 0.7, "reason": "done", "close_fraction": 0.5}
TIGHTEN: dict[str, Any] = {"action": "tighten", "confidence": 0.7, "reason": "up", "stop_loss": 0.004}


def closed(**changes: Any) -> Decision | Abstained:
    return parse_decision(json.dumps({**CLOSE, **changes}), 2)


def test_the_first_version_knows_no_act_of_the_second() -> None:
    assert parse_decision(answer_json(action="close")) == Abstained(codes.ANSWER_ACTION())
    assert parse_decision(answer_json(action="tighten")) == Abstained(codes.ANSWER_ACTION())
    assert parse_decision(answer_json(close_fraction=0)) == Abstained(codes.ANSWER_EXTRA_KEYS())


def test_an_answer_of_the_first_version_says_the_same_in_the_second() -> None:
    for action in ACTIONS[1]:
        for answer in (answer_json(action=action), answer_json(action=action, close_fraction=1)):
            assert parse_decision(answer, 2) == decision(action)


def test_a_close_says_how_much_and_how_sure_and_no_other_number() -> None:
    assert closed() == decision("close", "0.7", 1, "done", 0, 0, "0.5")
    assert closed(leverage=0, stop_loss=None, take_profit=7) == closed()
    for name in ("confidence", CLOSE_FRACTION, "reason"):
        assert parse_decision(json.dumps({k: v for k, v in CLOSE.items() if k != name}), 2) == Abstained(
            codes.ANSWER_LACKS(fields=name)
        )
    assert closed(close_fraction=None) == Abstained(codes.ANSWER_NOT_NUMBER(field=CLOSE_FRACTION))
    assert closed(close_fraction="0.5") == Abstained(codes.ANSWER_NOT_NUMBER(field=CLOSE_FRACTION))
    assert closed(leverage=True) == Abstained(codes.ANSWER_NOT_NUMBER(field="leverage"))
    for share in (0, 0.0, -0.5, 1.01, 2, 50):
        assert isinstance(closed(close_fraction=share), Abstained), share
    assert closed(close_fraction=0) == Abstained(codes.ANSWER_CLOSES_NOTHING())


def test_a_tighten_says_how_far_from_the_price() -> None:
    read = parse_decision(json.dumps(TIGHTEN), 2)
    assert read == decision("tighten", "0.7", 1, "up", "0.004", 0)
    assert parse_decision(json.dumps({**TIGHTEN, "stop_loss": None}), 2) == Abstained(
        codes.ANSWER_NOT_NUMBER(field="stop_loss")
    )
    assert parse_decision(json.dumps({**TIGHTEN, "qty": 1}), 2) == Abstained(codes.ANSWER_EXTRA_KEYS())


@pytest.mark.parametrize("version", ACTIONS)
def test_the_wire_schema_is_of_the_versions_keys_and_actions(version: AnswerVersion) -> None:
    schema: Any = RESPONSE_FORMATS[version]["json_schema"]["schema"]
    assert set(schema["properties"]) == set(schema["required"]) == keys_of(version)
    assert schema["properties"]["action"]["enum"] == [*ACTIONS[version]]
    assert schema["additionalProperties"] is False
    sent = fields_of(Profile(format=FORMATS[0]), Prompt("s", "u", "m", version))
    assert sent["response_format"] == RESPONSE_FORMATS[version]


def test_the_first_versions_schema_is_what_it_was() -> None:
    plain = fields_of(Profile(format=FORMATS[0]), Prompt("s", "u", "m"))["response_format"]
    assert plain["json_schema"]["schema"]["properties"]["action"]["enum"] == ["buy", "sell", "hold"]
    assert CLOSE_FRACTION not in json.dumps(plain)
    assert plain["json_schema"]["schema"]["properties"]["stop_loss"]["description"] == (
        "fraction of the entry price, such as 0.02"
    )


def test_what_is_stored_of_the_first_version_has_no_other_key() -> None:
    assert CLOSE_FRACTION not in decision_json(decision())
    kept = decision("close", close_fraction=Decimal("0.3"))
    assert read_decision(json.loads(json.dumps(decision_json(kept)))) == kept
    assert read_decision({k: v for k, v in decision_json(decision()).items() if k != CLOSE_FRACTION}) == decision()


def test_every_action_needs_numbers_its_version_has() -> None:
    for version, actions in ACTIONS.items():
        for action in actions:
            assert NEEDED[action] <= keys_of(version) - {"action", "reason"}
    assert NEEDED["buy"] == NEEDED["sell"] == NUMBERS


@pytest.mark.parametrize("stored", [0, 3, True, "1", None, 1.0, -1])
def test_a_version_nobody_made_is_no_version(stored: object) -> None:
    with pytest.raises(ValueError, match="no such version"):
        answer_version(stored)


def test_the_versions_are_read_as_they_are() -> None:
    assert [answer_version(number) for number in (1, 2)] == [1, 2]
