"""
The part of PromQL that our alert rules are written in, over a few moments of samples: enough to try a threshold.

Numbers, arithmetic, one comparison, `and`; max, min, sum, abs, vector, time; `max by`, of series told apart by it;
increase and changes over everything that was recorded (a rule's own range is only required to be there). A rule that
uses anything else is an error here.
"""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

_SELECTOR = re.compile(r"\b(up|maemae_\w+)(?:\{([^}]*)\})?(?:\[(\d+[smhd])\])?")
_BY = re.compile(r"\bmax by \(\w+\) \(")
_MATCHER = re.compile(r'(\w+)(=|!=)"([^"]*)"')
Values = list[float]


@dataclass(frozen=True)
class Moment:
    """Samples at *at* (s), by name with labels in PromQL's own writing."""

    at: float
    samples: Mapping[str, float]


def names(expr: str) -> list[str]:
    """The metrics *expr* names."""
    return [found[0] for found in _SELECTOR.findall(expr)]


def fires(expr: str, history: Sequence[Moment]) -> bool:
    """Whether *expr* has a result at the newest of *history*."""
    asked: list[re.Match[str]] = list(_SELECTOR.finditer(expr))
    text = expr
    for number, found in reversed(list(enumerate(asked))):
        text = f"{text[: found.start()]}S{number}{text[found.end() :]}"
    known: dict[str, Any] = {f"S{number}": _series(found, history) for number, found in enumerate(asked)}
    text = _BY.sub("each(", text)
    return bool(_value(ast.parse(text, mode="eval").body, known, history[-1].at))


def _series(found: re.Match[str], history: Sequence[Moment]) -> list[Values]:
    """The values of each series *found* selects, oldest first."""
    wanted = _MATCHER.findall(found[2] or "")
    rows: dict[str, Values] = {}
    for moment in history:
        for name, value in moment.samples.items():
            plain, _, rest = name.partition("{")
            labels = {key: text for key, _, text in _MATCHER.findall(rest)}
            if plain == found[1] and all((labels.get(key) == text) == (sign == "=") for key, sign, text in wanted):
                rows.setdefault(name, []).append(value)
    return list(rows.values())


_AGGREGATES: Mapping[str, Callable[[Values], float]] = {"max": max, "min": min, "sum": sum}


def _value(node: ast.expr, known: Mapping[str, Any], now: float) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return [values[-1] for values in known[name]]
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_value(part, known, now) for part in parts)
        case ast.Compare(left=left, ops=[ast.Gt() | ast.Lt() as op], comparators=[right]):
            ones, other = _value(left, known, now), _value(right, known, now)
            each = ones if isinstance(ones, list) else [ones]
            found = [one for one in each if one is not None and other is not None]
            return any(one > other if isinstance(op, ast.Gt) else one < other for one in found)
        case ast.BinOp(left=left, op=ast.Sub() | ast.Div() as op, right=right):
            one, other = _value(left, known, now), _value(right, known, now)
            if one is None or other is None or (isinstance(op, ast.Div) and not other):
                return None
            return one - other if isinstance(op, ast.Sub) else one / other
        case ast.Call(func=ast.Name(id=name), args=args):
            return _call(name, args, known, now)
    raise ValueError(f"this is not among what rules may use: {ast.dump(node)[:80]}")


def _call(name: str, args: Sequence[ast.expr], known: Mapping[str, Any], now: float) -> Any:
    if name == "time" and not args:
        return now
    [argument] = args
    if name in ("increase", "changes"):
        assert isinstance(argument, ast.Name)
        series: list[Values] = known[argument.id]
        if name == "increase":
            return [values[-1] - values[0] for values in series]
        return [float(sum(a != b for a, b in pairwise(values))) for values in series]
    value = _value(argument, known, now)
    if name in ("vector", "each"):
        return value
    if name == "abs":
        return [abs(one) for one in value]
    if name in _AGGREGATES:
        return _AGGREGATES[name](value) if value else None
    raise ValueError(f"rules do not use {name}()")
