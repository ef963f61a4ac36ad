"""
How a reason is written into a column, and read back. Pure.

One canonical text: `{"c":"daily_loss","p":{"limit":"0.05","lost":"0.0512"}}`, keys in their order, numbers as plain
strings, no longer than its column. Whatever else a column holds, such as a sentence of an older release or of an
operator's own hand, is read as somebody's text: reading never fails.
"""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from lib.domain.reason import CODES, INTEGERS, NOTHING, NUMBERS, Kind, Reason, Value, text
from lib.domain.reason_codes import CUT_SHORT

LONGEST = 500
"""Characters of a stored reason, unless its column holds more."""
LEAST = 120
"""No column may be narrower: the longest code of ours fits."""
_ROOMS = (400, 200, 100, 50, 20, 0)


def stored(reason: Reason, most: int = LONGEST) -> str:
    """
    *reason* as a column of *most* characters keeps it; "" for none.

    Where it is too long, others' words are cut first, then the reasons inside it.
    """
    if not reason:
        return ""
    return next(written for written in _written(reason) if len(written) <= most)


def _written(reason: Reason) -> Iterator[str]:
    yield _json(_data(reason))
    yield from (_json(_data(reason, room)) for room in _ROOMS)
    yield _json(_data(_without_inner(reason), 0))
    yield _json(_data(CUT_SHORT(code=reason.code)))


def _data(reason: Reason, room: int | None = None) -> dict[str, Any]:
    kinds = CODES[reason.code].params
    return {"c": reason.code, "p": {name: _value(kinds[name], value, room) for name, value in reason.params.items()}}


def _value(kind: Kind, value: Value, room: int | None) -> Any:
    if isinstance(value, Reason):
        return _data(value, room)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value[:room] if kind is Kind.TEXT and isinstance(value, str) else value


def _without_inner(reason: Reason) -> Reason:
    return Reason(reason.code, {name: NOTHING if isinstance(v, Reason) else v for name, v in reason.params.items()})


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def parse(written: str | None) -> Reason:
    """The reason a column holds; text that `stored` did not write is somebody's words."""
    if not written:
        return NOTHING
    try:
        return _read(json.loads(written))
    except (ValueError, TypeError, KeyError, ArithmeticError, AttributeError, RecursionError):
        return text(written)


def _read(data: Any) -> Reason:
    kinds, given = CODES[data["c"]].params, data["p"]
    if data.keys() != {"c", "p"} or kinds.keys() != given.keys():
        raise ValueError("not as it is written")
    return Reason(data["c"], {name: _read_value(kind, given[name]) for name, kind in kinds.items()})


def _read_value(kind: Kind, value: Any) -> Value:
    if kind is Kind.WHY:
        return _read(value)
    if kind in NUMBERS:
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int if kind in INTEGERS else str):
        raise TypeError("not as it is written")
    return value
