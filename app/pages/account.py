"""
The account and its safety: what guards it, in which browsers one is signed in, and what the account has been through.
"""

import streamlit as st

from app.i18n import clock_time, md, t, zone
from app.panels.guarding import guarding, leaving, passkeys, told
from app.panels.telling import tell
from app.panels.top import title, top
from app.session import require_user
from app.system import system
from app.ui.plain import plain
from app.ui.trail import trail_rows
from app.ui.write import duration
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.session import ABSOLUTE_MS, IDLE_MS
from lib.queries import SessionLine

HOUR_MS = 3_600_000
FIRST_NOTES = 20
MOST_NOTES = 200


def _sessions(user: SessionUser) -> None:
    found = system().readings.sessions(user.user_id)
    with st.container(border=True, key="sessions"):
        st.subheader(t("account.sessions"), anchor=False)
        st.caption(md("account.sessions_note", idle=IDLE_MS // HOUR_MS, absolute=ABSOLUTE_MS // HOUR_MS))
        for line in sorted(found, key=lambda one: one.session_id != user.session_id):
            _session(line, this=line.session_id == user.session_id)
        if len(found) > 1 and st.button(t("account.end_others"), key="end_others", icon=":material/logout:"):
            _told(system().safety.end_other_sessions(require_user()), "account.ended_others")


def _session(line: SessionLine, *, this: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"session_{line.session_id}"):
        with st.container(width="stretch", gap=None):
            st.markdown(f"**{plain(line.device or t('account.device_unknown'))}**")
            key, n = duration((system().clock.now_ms() - line.seen_ms) / 1000)
            seen = t("account.now") if this else t("account.seen", age=t(key, n=n))
            st.caption(md("account.session", network=line.network, seen=seen, ends=clock_time(_ends(line, this))[5:-3]))
        if this:
            st.badge(t("account.this"), icon=":material/check:", color="green")
        elif st.button(t("account.end"), key=f"end_{line.session_id}"):
            _told(system().safety.end_session(require_user(), line.session_id), "account.ended")


def _told(answer: Refusal | None, done: str) -> None:
    if tell(answer, t(done)):
        st.rerun()


def _ends(line: SessionLine, this: bool) -> int:
    """When it is over if it is not used any more; of the one in use, when it is over in any case."""
    return line.latest_ms if this else line.ends_ms


def _trail(user: SessionUser) -> None:
    shown = st.session_state.get("notes", FIRST_NOTES)
    found = system().readings.trail(user.user_id, shown)
    with st.container(border=True, key="trail"):
        st.subheader(t("account.trail"), anchor=False)
        st.caption(md("account.trail_note", zone=zone().label))
        if not found:
            st.text(t("account.trail_empty"))
            return
        st.html(trail_rows(found, t, lambda ms: clock_time(ms)[5:-3]))
        if len(found) == shown < MOST_NOTES and st.button(t("account.more"), key="more", width="stretch"):
            st.session_state["notes"] = min(shown * 3, MOST_NOTES)
            st.rerun()


signed_in = require_user()
top(signed_in, title("page.account"))
if signed_in.read_only:
    # other visitors' addresses are nobody's to see
    st.text(t("account.demo"))
else:
    told()
    left, right = st.columns(2, gap="small")
    with left:
        guarding(signed_in)
        passkeys(signed_in)
        leaving(signed_in)
    with right:
        _sessions(signed_in)
        _trail(signed_in)
