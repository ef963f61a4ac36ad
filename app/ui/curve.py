"""
The equity curve: what Python tells the browser module, and its mount. Floats here are for drawing alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.ui.assets import component
from app.ui.palette import Palette
from app.ui.write import shown, style
from lib.queries import CurvePoint, Results, TransferRow


@dataclass(frozen=True, slots=True)
class Look:
    """The way of the person's language and colours."""

    locale: str
    offset_s: int
    colours: Palette


def curve_data(found: Results, look: Look, text: Mapping[str, str], kind: Callable[[str], str]) -> dict[str, Any]:
    """The component's whole data; *kind* names a transfer."""
    return {
        "points": [_point(point) for point in _rising(found.points)],
        "paid": [
            {"time": time, "text": f"{kind(row.kind)} {shown(f'{row.amount:+,.0f}')}", "up": row.amount > 0}
            for row in found.transfers
            if (time := _drawn_after(found.points, row)) is not None
        ],
        "offset": look.offset_s,
        "locale": look.locale,
        "numbers": style(),
        "colours": {"light": list(look.colours.light), "dark": list(look.colours.dark)},
        "text": dict(text),
    }


def _rising(points: Sequence[CurvePoint]) -> list[CurvePoint]:
    """One point a second at most: a chart's times rise."""
    by_second = {point.t_ms // 1000: point for point in points}
    return [by_second[second] for second in sorted(by_second)]


def _point(point: CurvePoint) -> list[float | None]:
    hold = None if point.hold is None else round(float(point.hold), 2)
    fall = round(-100 * float(point.fall), 4)
    return [point.t_ms // 1000, round(float(point.equity), 2), hold, round(float(point.nothing), 2), fall]


def _drawn_after(points: Sequence[CurvePoint], row: TransferRow) -> int | None:
    """The first point drawn after the transfer: where the curve steps."""
    return next((point.t_ms // 1000 for point in points if point.t_ms >= row.at_ms), None)


def show_curve(data: dict[str, Any]) -> None:
    """Mount it."""
    component("curve", folder="chart")(key="curve", data=data, height="content")
