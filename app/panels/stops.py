"""
The locks that keep entries off, each with its reason and, where a person may end it, its button; and the orders that
only a person can settle. Drawn while there are any, and anew when they changed.
"""

import streamlit as st

from app.i18n import clock_time, language, t, tongue, zone
from app.panels.away import patient
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from app.ui import live
from app.ui.cockpit import seen_stops
from app.ui.orders import order_words
from app.ui.reasons import say_sentence
from app.ui.standing import lock_words
from app.ui.write import exact
from lib.accounts.trading import ENDABLE_LOCKS
from lib.accounts.web import SessionUser
from lib.domain.locks import RiskLock
from lib.domain.order import Order
from lib.queries import Standing


@st.fragment
@patient
def stops() -> None:
    """Draw the panel; nothing for who has no account, no lock and nothing to settle."""
    user = require_user()
    found = system().readings.standing(user.user_id)
    if found is None:
        return
    live.follow("stops", seen_stops(found))
    if found.locks or found.platform_locks or found.needs_human:
        with st.container(border=True, key="stops"):
            _locks(user, found)
            for order in found.needs_human:
                _settle(order)


def _locks(user: SessionUser, found: Standing) -> None:
    for lock in (*found.platform_locks, *found.locks):
        key = f"lock_{lock.account_id}_{lock.kind}"
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=key):
            st.badge(lock_words(lock, tongue()), icon=":material/lock:", color="orange")
            st.text(say_sentence(lock.why, language()), width="content")
            if lock.account_id and lock.kind in ENDABLE_LOCKS:
                _end(user, lock)


def _end(user: SessionUser, lock: RiskLock) -> None:
    with st.popover(t("stops.end"), icon=":material/lock_open:", disabled=user.read_only, key=f"end_{lock.kind}"):
        st.text(t("stops.end_sure"))
        if st.button(t("stops.end_yes"), key=f"end_{lock.kind}_yes", disabled=user.read_only) and tell(
            system().trading.end_lock(require_user(), lock.kind), t("stops.ended")
        ):
            st.rerun()


def _settle(order: Order) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"human_{order.id}"):
        st.badge(t("state.NEEDS_HUMAN"), icon=":material/person_alert:", color="red")
        what = f"{order_words(order, t)} {exact(order.qty)} · {clock_time(order.t_ms)} {zone().label}"
        st.text(what, width="content")
    st.text(t("stops.needs_human"))
    st.code(order.order_link_id, language=None)
