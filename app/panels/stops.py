"""
Stopping: whether the account trades, is stopping or is proved stopped, its locks, and what a person must settle.

"Stopped" is shown for nothing but a proof. Everything here is read anew every few seconds; what is pressed is an act of
its own, and the two that change much ask once more.
"""

import streamlit as st

from app.i18n import clock_time, language, md, t, zone
from app.panels.away import patient
from app.panels.control import tell
from app.panels.state import EVERY, how_far, lock_name, standing, state_badge, state_reason
from app.session import require_user
from app.system import system
from app.ui.orders import order_words
from app.ui.reasons import say
from app.ui.write import exact
from lib.accounts.trading import ENDABLE_LOCKS
from lib.accounts.web import SessionUser
from lib.domain.gates import FOREVER_MS
from lib.domain.locks import RiskLock
from lib.domain.order import Order
from lib.queries import Standing


@st.fragment(run_every=EVERY)
@patient
def switched_off() -> None:
    """Across the page, while anything binds this person: who switched off, why, and how far the stop is."""
    found = standing()
    if found is None or not found.is_halted:
        return
    with st.container(border=True, key="switched_off", horizontal=True, vertical_alignment="center"):
        state_badge(found)
        for reason in state_reason(found):
            st.text(reason, width="content")


def stops(user: SessionUser) -> None:
    """Draw the panel; nothing for who has no account."""
    if system().readings.standing(user.user_id) is None:
        return
    with st.container(border=True, key="stops"):
        _panel()


@st.fragment(run_every=EVERY)
@patient
def _panel() -> None:
    user, found = require_user(), standing()
    if found is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="stops_row"):
        with st.container(width="stretch", gap="xsmall"):
            _progress(found)
        _switches(user, found)
    _locks(user, found)
    for order in found.needs_human:
        _settle(order)


def _progress(found: Standing) -> None:
    if not found.is_halted:
        ready = "" if found.locks or found.platform_locks else f" · {t('stops.trading')}"
        st.caption(f"**{t('stops.title')}**{ready} · {t('stops.always')}")
        return
    st.caption(how_far(found))
    if found.flattens and found.position_qty:
        st.caption(md("stops.position", qty=exact(abs(found.position_qty)), symbol=found.symbol))


def _switches(user: SessionUser, found: Standing) -> None:
    with st.container(horizontal=True, gap="small", width="content"):
        if found.switches.is_thrown:
            if st.button(t("stops.resume"), key="stops_resume", icon=":material/play_arrow:", disabled=user.read_only):
                _act(tell(system().trading.resume(require_user()), t("stops.resumed")))
        elif st.button(t("stops.pause"), key="stops_pause", icon=":material/pause:", disabled=user.read_only):
            _act(tell(system().trading.pause(require_user()), t("stops.paused")))
        if not found.switches.flatten:
            with st.popover(t("stops.flatten"), icon=":material/close:", disabled=user.read_only, key="flatten"):
                st.text(t("stops.flatten_sure"))
                if st.button(t("stops.flatten_yes"), key="flatten_yes", type="primary", disabled=user.read_only):
                    _act(tell(system().trading.flatten(require_user()), t("stops.flatten_asked")))


def _act(done: bool) -> None:
    if done:
        st.rerun()


def _locks(user: SessionUser, found: Standing) -> None:
    for lock in (*found.platform_locks, *found.locks):
        key = f"lock_{lock.account_id}_{lock.kind}"
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=key):
            _lock(lock)
            if lock.account_id and lock.kind in ENDABLE_LOCKS:
                _end(user, lock)


def _lock(lock: RiskLock) -> None:
    name = lock_name(lock.kind)
    ends = t("stops.until_person")
    if lock.until_ms < FOREVER_MS:
        ends = t("stops.until", at=clock_time(lock.until_ms), zone=zone().label)
    whose = "" if lock.account_id else t("stops.everybody")
    words = " · ".join(filter(None, (t("stops.locks"), whose, name, ends)))
    st.badge(words, icon=":material/lock:", color="orange")
    st.text(say(lock.why, language()), width="content")


def _end(user: SessionUser, lock: RiskLock) -> None:
    with st.popover(t("stops.end"), icon=":material/lock_open:", disabled=user.read_only, key=f"end_{lock.kind}"):
        st.text(t("stops.end_sure"))
        if st.button(t("stops.end_yes"), key=f"end_{lock.kind}_yes", disabled=user.read_only):
            _act(tell(system().trading.end_lock(require_user(), lock.kind), t("stops.ended")))


def _settle(order: Order) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"human_{order.id}"):
        st.badge(t("state.NEEDS_HUMAN"), icon=":material/person_alert:", color="red")
        what = f"{order_words(order, t)} {exact(order.qty)} · {clock_time(order.t_ms)} {zone().label}"
        st.text(what, width="content")
    st.text(t("stops.needs_human"))
    st.code(order.order_link_id, language=None)
