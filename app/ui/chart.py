"""
The live chart: what Python tells the browser module, and its mount.

Python sends addresses, lines, marks and words; candles never pass through Streamlit. The numbers here are for drawing,
so they are floats; money is not decided by them. Which interval, which indicators and which stretch of time somebody
looks at stays in their browser.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.ui.assets import component
from app.ui.palette import Palette
from app.ui.write import style

FIRST_STEP = "1m"
"""The interval of who never chose one."""
TOLD = 200
"""Characters of a reason beside a mark."""
TEXT = (
    *("opening", "live", "late", "closed", "open", "high", "low", "close", "volume", "step", "symbol", "name", "keys"),
    *("indicators", "with_volume", "with_ema", "with_bollinger", "with_vwap", "with_rsi"),
    *("now", "full", "leave_full", "table", "loading", "failed", "empty", "retry"),
    *("older_loading", "older_failed", "older_none"),
    *("time", "price", "line", "lines", "mark", "marks", "pnl", "mark_open"),
)
"""The module's words, as `chart.…` in the catalogue."""


@dataclass(frozen=True, slots=True)
class Line:
    """A price line; *tone* is up, down, accent or danger."""

    id: str
    price: Decimal
    title: str
    tone: str
    dashed: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """
    An order that filled, on the time axis: *kind* is buy, sell or exit. Words are ready to be shown; *tone* (up, down
    or "") is the profit's; *log_id* is the decision's row, None where there was none.
    """

    t_ms: int
    kind: str
    title: str
    detail: str
    why: str
    pnl: str
    tone: str
    log_id: int | None


@dataclass(frozen=True, slots=True)
class Open:
    """The open position: signed quantity and mean entry price."""

    qty: Decimal
    entry: Decimal


@dataclass(frozen=True, slots=True)
class View:
    """What is shown and how: *symbols* with the places of their prices, the one shown first, and the reader's way."""

    symbols: Sequence[tuple[str, int]]
    locale: str
    offset_s: int
    zone: str
    colours: Palette


def chart_data(
    view: View, lines: Sequence[Line], marks: Sequence[Mark], position: Open | None, text: Mapping[str, str]
) -> dict[str, Any]:
    """The component's whole data; equal data costs the browser nothing."""
    return {
        "url": "/api/kline",
        "history": "/api/kline/history",
        "ws": "/api/ws",
        "log": "/trade_logs?log=",
        "symbol": view.symbols[0][0],
        "symbols": [{"name": name, "precision": places} for name, places in sorted(view.symbols)],
        "step": FIRST_STEP,
        "offset": view.offset_s,
        "zone": view.zone,
        "locale": view.locale,
        "numbers": style(),
        "colours": {"light": list(view.colours.light), "dark": list(view.colours.dark)},
        "lines": [
            {"id": line.id, "price": float(line.price), "title": line.title, "tone": line.tone, "dashed": line.dashed}
            for line in lines
        ],
        "marks": [_mark(mark) for mark in marks],
        "position": {"qty": float(position.qty), "entry": float(position.entry)} if position else None,
        "text": dict(text),
    }


def _mark(mark: Mark) -> dict[str, Any]:
    words = {"title": mark.title, "detail": mark.detail, "why": mark.why, "pnl": mark.pnl}
    return {"time": mark.t_ms // 1000, "kind": mark.kind, "tone": mark.tone, "log": mark.log_id, **words}


def show_chart(data: dict[str, Any]) -> None:
    """Mount it; the key keeps the same chart, and its view, through every change of *data*."""
    component("tvchart", folder="chart")(key="chart", data=data, height="content")
