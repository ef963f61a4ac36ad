"""
The live chart with its lines and markers.

Candles reach the browser by our REST route and WebSocket; here only the lines of the open position and the markers of
past decisions are read, every five seconds, and sent when they changed.
"""

from decimal import Decimal

import streamlit as st

from app.i18n import language, rises_red, t, zone
from app.panels.away import patient
from app.session import require_user
from app.system import system
from app.ui.chart import STEPS, Line, Mark, View, chart_data, show_chart
from app.ui.palette import palette
from app.ui.plain import plain
from app.ui.write import exact, price
from lib.queries import Holding, Marker

TEXT = ("opening", "live", "closed", "open", "high", "low", "close")
DAY_MS = 86_400_000
LOCALES = {"ko": "ko-KR", "en": "en-GB"}
MARKED = {"bought": "buy", "sold": "sell", "closed": "exit"}


@st.fragment(run_every="5s")
@patient
def market() -> None:
    """Toolbar, chart and the open position."""
    user = require_user()
    holding = system().readings.holding(user.user_id)
    symbol = holding.symbol if holding else system().symbols[0]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="toolbar"):
        st.markdown(f"**{plain(symbol)}**")
        step = st.segmented_control(
            t("chart.step"),
            list(STEPS),
            default="1m",
            key="step",
            required=True,
            label_visibility="collapsed",
            bind="query-params",
        )
        _position(holding)
    since = system().clock.now_ms() - 3 * DAY_MS
    view = View(symbol, str(step or "1m"), 1, LOCALES[language()], zone().offset_s, palette(rises_red=rises_red()))
    marks = [_mark(marker) for marker in system().readings.markers(user.user_id, since) if marker.outcome in MARKED]
    text = {name: t(f"chart.{name}") for name in TEXT}
    show_chart(chart_data(view, _lines(holding), marks, text))


def _position(holding: Holding | None) -> None:
    if holding is None or not holding.position_qty:
        st.badge(t("position.flat"), color="gray")
        return
    long = holding.position_qty > 0
    words = t("position.long" if long else "position.short")
    st.badge(
        f"{words} {exact(abs(holding.position_qty))} @ {price(holding.avg_entry_price)}",
        color=palette(rises_red=rises_red()).badges[0 if long else 1],
        icon=":material/trending_up:" if long else ":material/trending_down:",
    )


def _lines(holding: Holding | None) -> list[Line]:
    if holding is None or not holding.position_qty:
        return []
    wanted = (
        Line("entry", holding.avg_entry_price, t("chart.entry"), "accent", False),
        Line("stop", holding.stop_loss or Decimal(0), t("chart.stop"), "down", True),
        Line("target", holding.take_profit or Decimal(0), t("chart.target"), "up", True),
    )
    return [line for line in wanted if line.price > 0]


def _mark(marker: Marker) -> Mark:
    return Mark(marker.t_ms, MARKED[marker.outcome], t(f"mark.{marker.outcome}"))
