"""
Won for one USDT, on the settings page: the person's own rates, a date and a rate a line, and which one holds today.

The list is saved as a whole in the place of the one that was shown. What another tab saved meanwhile is shown before it
can be written over; what is typed and not saved stays.
"""

import streamlit as st

from app.i18n import md, t
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from app.ui.write import count, exact
from lib.accounts.web import SessionUser
from lib.accounts.won import LONGEST
from lib.domain.won_rates import MOST_RATES, WonRates, utc_day, written

EXAMPLE = "2026-01-01 1450\n2026-02-01 1438.5"
LINES, BASE = "krw_lines", "_krw_base"


def won(user: SessionUser) -> None:
    """Draw the section."""
    rates = system().readings.won_rates(user.user_id)
    stands = written(rates.own)
    with st.container(border=True, key="won"):
        st.subheader(t("krw.title"), anchor=False)
        st.caption(t("krw.note"))
        st.text(_today(rates))
        if user.read_only:
            return
        _untouched(stands)
        if st.session_state.get(BASE) != stands:
            st.warning(t("krw.elsewhere"), icon=":material/sync_problem:")
            st.code(stands or t("krw.empty"), language=None)
        # no form: what is typed is known here before it is saved, so that nothing else takes its place
        st.text_area(t("krw.lines"), key=LINES, height=130, max_chars=LONGEST, placeholder=EXAMPLE)
        st.button(t("krw.save"), key="krw_save", on_click=_save, args=(stands,))
        st.caption(md("krw.most", n=count(MOST_RATES)))


def _untouched(stands: str) -> None:
    """The field follows what is saved for as long as nobody typed in it."""
    if LINES in st.session_state and st.session_state[LINES] != st.session_state.get(BASE):
        return
    if LINES not in st.session_state or st.session_state[BASE] != stands:
        st.session_state[LINES] = st.session_state[BASE] = stands


def _today(rates: WonRates) -> str:
    day = utc_day(system().clock.now_ms())
    rate = rates.on(day)
    if rate is None:
        return t("krw.none")
    whose = "krw.own" if rate in rates.own else "krw.platform"
    since = t("krw.since", day=rate.day) if rate.day else ""
    return " · ".join(part for part in (f"1 USDT = ₩{exact(rate.krw)}", t(whose), since) if part)


def _save(before: str) -> None:
    typed = str(st.session_state[LINES] or "")
    if tell(system().won.change(require_user(), before, typed), t("settings.saved")):
        st.session_state.pop(LINES)
