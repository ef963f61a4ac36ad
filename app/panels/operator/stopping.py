"""
Stopping everybody: pause, close, and, as an act of its own, go on; how far a stop is, the proof, and what it waits for.

"Stopped" is shown for nothing but a proof.
"""

import streamlit as st

from app.i18n import clock_time, language, md, t, tongue, zone
from app.operators import require_operator
from app.panels.away import patient
from app.panels.operator.acts import newest_acts
from app.panels.state import EVERY
from app.panels.step_up import is_proved, proof
from app.panels.telling import tell
from app.system import system
from app.ui.badges import STATES, Tone
from app.ui.orders import order_words
from app.ui.plain import plain
from app.ui.reasons import say_sentence
from app.ui.standing import lock_name
from app.ui.write import count, exact
from lib.accounts.web import SessionUser
from lib.domain.order import Order
from lib.queries import Overview

MOST_ROWS = 10


def stopping() -> None:
    """Draw the section."""
    with st.container(border=True, key="stop_all"):
        _platform()
    newest_acts("stop", "flatten", "resume")


@st.fragment(run_every=EVERY)
@patient
def _platform() -> None:
    require_operator()
    found = system().operators.readings.overview()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(t("room.everybody"), anchor=False)
        tone, icon, key = _word(found)
        st.badge(t(key), icon=f":material/{icon}:", color=tone)
    _how_far(found)
    grid = st.grid(columns="auto", min_column_width=130, gap="small")
    for name in ("accounts", "auto_trading", "stopped", "holding", "open_count"):
        with grid:
            st.metric(t(f"room.{name}"), count(getattr(found, name)), border=True)
    _buttons(found)
    for lock in found.locks:
        st.badge(
            f"{t('stops.locks')} · {t('stops.everybody')} · {plain(lock_name(lock.kind, tongue()))}",
            icon=":material/lock:",
        )
        st.text(say_sentence(lock.why, language()))
    _open(found)


def _word(found: Overview) -> tuple[Tone, str, str]:
    if not found.switches.is_thrown:
        return *STATES["on"], "room.trading"
    return (*STATES["stopped"], "state.stopped") if found.is_proved else (*STATES["stopping"], "state.stopping")


def _how_far(found: Overview) -> None:
    if not found.trader_alive:
        st.warning(t("room.trader_away"), icon=":material/report:")
    switches = found.switches
    if not switches.is_thrown:
        st.caption(t("room.trading_note"))
        return
    if switches.why:
        st.text(say_sentence(switches.why, language()))
    if found.is_proved:
        at = f"{clock_time(switches.proven_ms, date=False)} {zone().label}"
        st.success(md("stops.closed" if switches.flatten else "stops.stopped", at=at), icon=":material/verified:")
        return
    st.info(t("stops.closing" if switches.flatten else "stops.stopping"), icon=":material/pending:")
    if switches.flatten and found.holding:
        st.caption(md("room.still_held", n=found.holding))


def _buttons(found: Overview) -> None:
    with st.container(horizontal=True, gap="small", key="stop_all_buttons"):
        if not found.switches.is_thrown:
            if st.button(t("room.pause_all"), key="all_pause", icon=":material/pause:"):
                _act(tell(system().operators.room.stop(require_operator(), 0), t("stops.paused")))
        else:
            with st.popover(t("room.resume_all"), icon=":material/play_arrow:", key="resume_all"):
                st.text(t("room.resume_sure"))
                _resume(require_operator())
        if not found.switches.flatten:
            with st.popover(t("room.close_all"), icon=":material/close:", key="close_all"):
                st.text(t("room.close_sure"))
                _close(require_operator())


def _resume(user: SessionUser) -> None:
    if not is_proved(user):
        proof(user, "proof_resume")
    elif st.button(t("room.resume_yes"), key="all_resume", type="primary"):
        _act(tell(system().operators.room.resume(user, 0), t("stops.resumed")))


def _close(user: SessionUser) -> None:
    if not is_proved(user):
        proof(user, "proof_close")
    elif st.button(t("room.close_yes"), key="all_flatten", type="primary"):
        _act(tell(system().operators.room.flatten(user, 0), t("stops.flatten_asked")))


def _act(done: bool) -> None:
    if done:
        st.rerun()


def _open(found: Overview) -> None:
    if not found.switches.is_thrown or not found.open_rows:
        return
    st.caption(md("stops.open_rows", n=found.open_count))
    for order in found.open_rows[:MOST_ROWS]:
        st.text(order_line(order))


def order_line(order: Order) -> str:
    """One order that is not terminal, in a line."""
    state = t(f"state.{order.state.value}")
    whose = t("room.account_no", n=order.account_id)
    return f"{whose} · {order_words(order, t)} {exact(order.qty)} {order.symbol} · {state} · {order.order_link_id}"
