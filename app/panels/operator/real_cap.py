"""
The cap for real money, for operators to read: what was written, what is left and why, what is in use, when it ends.

Nothing here writes one: that is a terminal's act (`make control ARGS="real-cap …"`).
"""

import streamlit as st

from app.i18n import clock_time, language, md, t, zone
from app.system import system
from app.ui.logs import frame
from app.ui.reasons import say
from app.ui.write import count, exact
from lib.domain.real_money import MOST_INCIDENTS
from lib.domain.venues import CAPABILITIES
from lib.queries.real import CapStanding

COMMAND = 'make control ARGS="real-cap 1 500 1 200 --why first-week"'


def real_cap() -> None:
    """Draw the card, where accounts with real money may be entered."""
    if not any(CAPABILITIES[venue].has_real_money for venue in system().venues):
        return
    found = system().operators.readings.real_cap()
    with st.container(border=True, key="real_cap"):
        st.subheader(t("room.cap"), anchor=False)
        if found is None:
            st.caption(t("room.cap_none"))
        else:
            _state(found)
            _figures(found)
            _incidents(found)
        st.code(COMMAND, language=None, wrap_lines=True)


def _state(cap: CapStanding) -> None:
    if len(cap.incidents) >= MOST_INCIDENTS:
        st.error(md("room.cap_ended", count=len(cap.incidents)), icon=":material/block:")
    elif cap.ends_ms <= system().clock.now_ms():
        st.error(md("room.cap_over", at=clock_time(cap.ends_ms)), icon=":material/event_busy:")
    else:
        st.caption(md("room.cap_until", at=clock_time(cap.ends_ms), zone=zone().label))


def _figures(cap: CapStanding) -> None:
    names = [t(f"room.cap.{name}") for name in ("what", "written", "left", "used")]
    rows = [
        (t("room.cap.accounts"), count(cap.written.accounts), count(cap.left.accounts), count(cap.accounts)),
        (t("room.cap.equity"), exact(cap.written.equity), exact(cap.left.equity), "–"),
        (t("room.cap.positions"), count(cap.written.positions), count(cap.left.positions), count(cap.positions)),
        (t("room.cap.a_day"), exact(cap.written.a_day), exact(cap.left.a_day), exact(cap.opened_today)),
    ]
    st.dataframe(frame(names, rows), hide_index=True, height="content", key="cap_table")


def _incidents(cap: CapStanding) -> None:
    if not cap.incidents:
        return
    st.caption(t("room.cap_shrunk"))
    for each in cap.incidents:
        where = t("room.cap_account", number=each.account_id)
        st.text(f"{clock_time(each.at_ms)} · {where} · {say(each.why, language())}")
