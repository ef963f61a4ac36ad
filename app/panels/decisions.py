"""
The newest decisions under the chart, drawn anew when there is another, or one has changed.
"""

from typing import Any

import streamlit as st

from app.cockpit import NEWEST
from app.i18n import clock_time, language, rises_red, t, zone
from app.panels.away import patient
from app.session import require_user
from app.system import system
from app.ui import live
from app.ui.cockpit import seen_decisions
from app.ui.logs import OUTCOMES, log_frame, outcome_colours
from app.ui.palette import palette
from app.ui.small import go


@st.fragment
@patient
def decisions(symbol: str) -> None:
    """The table of the newest decisions about *symbol*, "" = about any."""
    user = require_user()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(t("decisions.title"), anchor=False)
        st.page_link("app/pages/trade_logs.py", label=t("decisions.all"), icon=":material/arrow_forward:")
    rows = system().readings.logs(user.user_id, limit=NEWEST)
    live.follow("decisions", seen_decisions(rows))
    if symbol:
        rows = system().readings.logs(user.user_id, limit=NEWEST, symbol=symbol)
    if not rows:
        st.caption(t("decisions.none"))
        return
    table = st.dataframe(
        log_frame(rows, t, clock_time, language()),
        hide_index=True,
        height="content",
        column_config=columns(),
        key="newest",
        on_select="rerun",
        selection_mode="single-cell",
    )
    st.caption(t("log.choose"))
    if (log_id := chosen(table, [row.id for row in rows])) is not None:
        go(f"/trade_logs?log={log_id}")


def chosen(table: Any, ids: list[int]) -> int | None:
    """Which of *ids* stands in the row of the cell that was clicked in *table*; None when none was."""
    cells = table.selection.cells
    return ids[cells[0][0]] if cells and cells[0][0] < len(ids) else None


def columns() -> dict[str, Any]:
    """Headings and widths of a log table."""
    config = st.column_config
    names, colours = [t(f"outcome.{one}") for one in OUTCOMES], outcome_colours(palette(rises_red=rises_red()))
    return {
        "time": config.TextColumn(f"{t('column.time')} ({zone().label})", width=130),
        "symbol": config.TextColumn(t("chart.symbol"), width=90),
        "outcome": config.MultiselectColumn(t("column.outcome"), width=90, options=names, color=colours),
        "view": config.TextColumn(t("column.view"), width=80),
        "confidence": config.TextColumn(t("column.confidence"), width=80, alignment="right"),
        "why": config.TextColumn(t("column.why"), width=800),
    }
