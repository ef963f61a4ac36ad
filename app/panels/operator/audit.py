"""
Whether every order's history is as it was written, who is an operator, and every act of theirs.
"""

import streamlit as st

from app.i18n import clock_time, language, md, t
from app.operators import require_operator
from app.panels.operator.acts import act_table, who_on_terminal
from app.system import system
from app.ui.logs import frame
from app.ui.reasons import say
from app.ui.write import count
from lib.queries import AuditReport

WITHIN_MS = 20_000
LIMIT = 50


def audit() -> None:
    """Draw the section."""
    _chains()
    _operators()
    _acts()


def _chains() -> None:
    with st.container(border=True, key="chains"):
        st.subheader(t("room.chains"), anchor=False)
        st.caption(t("room.chains_note"))
        if st.button(t("room.verify"), key="verify", icon=":material/fact_check:"):
            require_operator()
            st.session_state["_verified"] = system().operators.readings.audited(WITHIN_MS)
        report = st.session_state.get("_verified")
        if isinstance(report, AuditReport):
            _report(report)


def _report(report: AuditReport) -> None:
    figures = {"orders": count(report.orders), "events": count(report.events)}
    if report.broken:
        st.error(md("room.broken", n=len(report.broken), **figures), icon=":material/gpp_bad:")
        names = [t("room.order"), t("column.why")]
        rows = [(one.order_link_id, say(one.problem, language())) for one in report.broken]
        st.dataframe(frame(names, rows), hide_index=True, height="content", key="broken")
    elif report.is_complete:
        st.success(md("room.sound", **figures), icon=":material/verified:")
    else:
        st.info(md("room.sound_so_far", **figures), icon=":material/hourglass_top:")


def _operators() -> None:
    with st.container(border=True, key="who"):
        st.subheader(t("room.operators"), anchor=False)
        names = [t(f"room.role.{name}") for name in ("person", "granted", "by", "revoked", "revoked_by")]
        rows = [
            (
                row.email,
                clock_time(row.granted_ms),
                who_on_terminal(row.granted_by),
                clock_time(row.revoked_ms) if row.revoked_ms else "–",
                who_on_terminal(row.revoked_by) or "–",
            )
            for row in system().operators.readings.operators()
        ]
        st.dataframe(frame(names, rows), hide_index=True, height="content", key="role_table")
        st.caption(t("room.role_note"))


def _acts() -> None:
    before = int(st.session_state.get("_acts_before", 0))
    found = system().operators.readings.acts(LIMIT, before)
    with st.container(border=True, key="all_acts"):
        st.subheader(t("room.acts"), anchor=False)
        if not found:
            st.caption(t("room.acts_none"))
            return
        act_table(found, "act_table")
        with st.container(horizontal=True):
            if before:
                st.button(t("room.first"), key="acts_first", icon=":material/first_page:", on_click=_from, args=(0,))
            if len(found) == LIMIT:
                st.button(t("room.older"), key="acts_older", on_click=_from, args=(found[-1].id,))


def _from(act_id: int) -> None:
    st.session_state["_acts_before"] = act_id
