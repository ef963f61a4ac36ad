"""
The live chart: what Python tells the browser module, and its mount.

Python sends addresses, lines, markers and words; candles never pass through Streamlit. The numbers here are for
drawing, so they are floats; money is not decided by them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from app.ui.assets import component
from app.ui.palette import Palette

STEPS = {"1m": 60, "5m": 300, "15m": 900, "1h": 3_600}
"""What the chart can show; anything above a minute is summed up in the browser."""
COUNT = 5_000
HEIGHT = 556


@dataclass(frozen=True, slots=True)
class Line:
    """A price line; *tone* is up, down or accent."""

    id: str
    price: Decimal
    title: str
    tone: str
    dashed: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A decision on the time axis: *kind* is buy, sell or exit."""

    t_ms: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class View:
    """How the person looks at it: instrument, step and the way of their language."""

    symbol: str
    step: str
    precision: int
    locale: str
    offset_s: int
    colours: Palette


def chart_data(view: View, lines: Sequence[Line], marks: Sequence[Mark], text: Mapping[str, str]) -> dict[str, Any]:
    """The component's whole data. The addresses stay the same for every step, so changing it fetches nothing."""
    asked = {"symbol": view.symbol, "interval": "1m"}
    return {
        "url": f"/api/kline?{urlencode(asked | {'count': COUNT})}",
        "ws": f"/api/ws?{urlencode(asked)}",
        "step": STEPS[view.step],
        "offset": view.offset_s,
        "precision": view.precision,
        "locale": view.locale,
        "colours": {"light": list(view.colours.light), "dark": list(view.colours.dark)},
        "height": HEIGHT,
        "lines": [
            {"id": line.id, "price": float(line.price), "title": line.title, "tone": line.tone, "dashed": line.dashed}
            for line in lines
        ],
        "markers": [{"time": mark.t_ms // 1000, "kind": mark.kind, "text": mark.text} for mark in marks],
        "text": dict(text),
    }


def show_chart(data: dict[str, Any]) -> None:
    """Mount it; the key keeps the same chart, and its zoom, through every change of *data*."""
    component("tvchart")(key="chart", data=data, height="content")
