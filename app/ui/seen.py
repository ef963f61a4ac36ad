"""
The candles an analyst was shown, read from what was stored with its call, and the browser module that draws them.

Stored text that is no list of candles is no picture; floats here are for drawing alone.
"""

import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from app.ui.assets import component
from app.ui.chart import Line
from app.ui.curve import Look
from app.ui.write import style

MOST = 500
FIELDS = ("open", "high", "low", "close", "volume")


def seen_rows(stored: str) -> list[list[float]]:
    """[open time in s, open, high, low, close, volume] of each candle of *stored*, oldest first; [] for none."""
    try:
        rows = {_time(candle): [float(Decimal(str(candle[name]))) for name in FIELDS] for candle in json.loads(stored)}
    except (ValueError, TypeError, KeyError, InvalidOperation, RecursionError):
        return []
    return [[time, *rows[time]] for time in sorted(rows)][-MOST:]


def _time(candle: Any) -> int:
    return int(candle["timestamp"]) // 1000


def precision_of(rows: Sequence[Sequence[float]]) -> int:
    """Digits after the point that the prices use, at most eight."""
    texts = [f"{value:.8f}".rstrip("0").partition(".")[2] for row in rows for value in row[1:5]]
    return max(1, *map(len, texts)) if texts else 1


def seen_data(rows: Sequence[Sequence[float]], lines: Sequence[Line], look: Look, alt: str) -> dict[str, Any]:
    """The component's whole data; *alt* says what the picture is."""
    return {
        "rows": [list(row) for row in rows],
        "lines": [
            {"price": float(line.price), "title": line.title, "tone": line.tone, "dashed": line.dashed}
            for line in lines
        ],
        "precision": precision_of(rows),
        "offset": look.offset_s,
        "locale": look.locale,
        "numbers": style(),
        "colours": {"light": list(look.colours.light), "dark": list(look.colours.dark)},
        "alt": alt,
    }


def show_seen(data: dict[str, Any]) -> None:
    """Mount it."""
    component("seen", folder="chart")(key="seen", data=data, height="content")
