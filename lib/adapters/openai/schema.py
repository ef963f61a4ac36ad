"""
The wire schema of a decision: six keys, nothing else.

Only types, names and the three actions: providers differ in which numeric constraints their strict mode accepts, and
ranges are checked by our own parser anyway (`lib.domain.decision`).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openai.types.shared_params import ResponseFormatJSONSchema

_PROPERTIES: dict[str, dict[str, Any]] = {
    "action": {"type": "string", "enum": ["buy", "sell", "hold"]},
    "confidence": {"type": "number", "description": "0 to 1"},
    "leverage": {"type": "integer", "description": "at least 1, at most max_leverage"},
    "reason": {"type": "string", "description": "one or two sentences"},
    "stop_loss": {"type": "number", "description": "fraction of the entry price, such as 0.02"},
    "take_profit": {"type": "number", "description": "fraction of the entry price, such as 0.05"},
}

RESPONSE_FORMAT: "ResponseFormatJSONSchema" = {
    "type": "json_schema",
    "json_schema": {
        "name": "decision",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": _PROPERTIES,
            "required": sorted(_PROPERTIES),
            "additionalProperties": False,
        },
    },
}
