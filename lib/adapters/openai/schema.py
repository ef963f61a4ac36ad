"""
The wire schema of a decision, by the version of the answer: its keys, nothing else.

Only types, names and the actions: providers differ in which numeric constraints their strict mode accepts, and
ranges are checked by our own parser anyway (`lib.domain.decision`).
"""

from typing import TYPE_CHECKING, Any

from lib.domain.decision import ACTIONS, CLOSE_FRACTION, AnswerVersion

if TYPE_CHECKING:
    from openai.types.shared_params import ResponseFormatJSONSchema

_PROPERTIES: dict[str, dict[str, Any]] = {
    "action": {"type": "string", "enum": [*ACTIONS[1]]},
    "confidence": {"type": "number", "description": "0 to 1"},
    "leverage": {"type": "integer", "description": "at least 1, at most max_leverage"},
    "reason": {"type": "string", "description": "one or two sentences"},
    "stop_loss": {"type": "number", "description": "fraction of the entry price, such as 0.02"},
    "take_profit": {"type": "number", "description": "fraction of the entry price, such as 0.05"},
}

_OF_NOW = "fraction of the entry price, such as 0.02; of tighten: of the price of now"
_MANAGING: dict[str, dict[str, Any]] = {
    **_PROPERTIES,
    "action": {"type": "string", "enum": [*ACTIONS[2]]},
    "stop_loss": {"type": "number", "description": _OF_NOW},
    CLOSE_FRACTION: {"type": "number", "description": "the part of the position that close closes, 1 = all; else 0"},
}


def _format(properties: dict[str, dict[str, Any]]) -> "ResponseFormatJSONSchema":
    return {
        "type": "json_schema",
        "json_schema": {
            "name": "decision",
            "strict": True,
            "schema": {
                "type": "object",
                "properties": properties,
                "required": sorted(properties),
                "additionalProperties": False,
            },
        },
    }


RESPONSE_FORMATS: "dict[AnswerVersion, ResponseFormatJSONSchema]" = {1: _format(_PROPERTIES), 2: _format(_MANAGING)}
