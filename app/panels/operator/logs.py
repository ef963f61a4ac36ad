"""
The newest lines of each process, where this machine keeps them. Secrets were taken out when a line was written, and
what looks like one is taken out once more before it is shown.
"""

import streamlit as st

from app.i18n import t
from app.operators import require_operator
from app.system import system
from app.ui.letters import letters

LINES = (100, 300, 1_000)


def logs() -> None:
    """Draw the section."""
    require_operator()
    files = system().operators.logs
    names = files.names()
    with st.container(border=True, key="log_files"):
        if not names:
            st.info(t("room.logs_none"), icon=":material/inbox:")
            return
        with st.container(horizontal=True, vertical_alignment="bottom", key="log_bar"):
            name = st.segmented_control(
                t("room.process"), names, default=names[0], key="process", required=True, bind="query-params"
            )
            lines = st.selectbox(t("room.lines"), LINES, key="lines", width=110)
            wanted = st.text_input(
                t("room.contains"), key="contains", type="search", placeholder=t("room.contains_hint")
            )
            st.button(t("room.refresh"), key="log_refresh", icon=":material/refresh:")
        found = [line for line in files.newest(str(name), lines or LINES[0]) if (wanted or "").lower() in line.lower()]
        if not found:
            st.caption(t("room.no_lines"))
            return
        letters("\n".join(reversed(found)), 560)
        st.caption(t("room.logs_note"))
