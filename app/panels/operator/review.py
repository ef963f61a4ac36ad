"""
What a person must look at: orders nobody can prove the end of, with the form that settles them; locks, with ending one
by hand; other hands at accounts; books that differ from the exchange.
"""

import streamlit as st

from app.i18n import clock_time, language, md, t, tongue, zone
from app.operators import require_operator
from app.panels.away import patient
from app.panels.choices import still
from app.panels.operator.acts import newest_acts
from app.panels.operator.stopping import order_line
from app.panels.telling import tell
from app.system import system
from app.ui.logs import frame
from app.ui.plain import plain
from app.ui.reasons import say
from app.ui.standing import lock_name
from app.ui.write import plus
from lib.domain.gates import FOREVER_MS
from lib.domain.locks import RiskLock
from lib.domain.order import Order
from lib.queries import HeldLock
from lib.trading.operators_room import ENDS, LONGEST_WHY

EVERY = 5
STATES = ("ABSENT", "FILLED", "CANCELLED", "REJECTED", "PARTIAL", "EXPIRED", "BLOCKED")
"""In the order people need them; all of `ENDS`."""


def review() -> None:
    """Draw the section."""
    _stuck()
    _locks()
    _hands()
    newest_acts("settle", "unlock")


def _stuck() -> None:
    found = system().operators.readings.needs_human()
    with st.container(border=True, key="stuck"):
        st.subheader(t("room.stuck"), anchor=False)
        if not found:
            st.caption(t("room.stuck_none"))
        for order, email in found:
            _settle(order, email)


def _settle(order: Order, email: str) -> None:
    with st.container(key=f"stuck_{order.id}"):
        st.badge(t("state.NEEDS_HUMAN"), icon=":material/person_alert:", color="red")
        at = f"{clock_time(order.t_ms)} {zone().label}"
        st.text(f"{order_line(order)}\n{email} · {at}\n{say(order.why, language())}")
        with st.popover(t("room.settle"), icon=":material/gavel:", key=f"settle_{order.id}"):
            st.text(t("room.settle_note"))
            with st.form(f"settle_form_{order.id}", border=False):
                st.selectbox(
                    t("room.settle_state"),
                    [state for state in STATES if state in ENDS],
                    format_func=lambda state: t(f"state.{state}"),
                    key=still(f"settle_state_{order.id}"),
                )
                st.text_input(t("room.why"), key=f"settle_why_{order.id}", max_chars=LONGEST_WHY)
                st.form_submit_button(t("room.settle_do"), type="primary", on_click=_settled, args=(order,))


def _settled(order: Order) -> None:
    state, why = (str(st.session_state[f"settle_{name}_{order.id}"] or "") for name in ("state", "why"))
    answer = system().operators.room.settle(require_operator(), order.order_link_id, state, why)
    tell(answer, t("room.asked"))


# --- locks ------------------------------------------------------------------------------------------------------------


def _locks() -> None:
    found = system().operators.readings.held_locks()
    with st.container(border=True, key="held_locks"):
        st.subheader(t("room.locks"), anchor=False)
        if not found:
            st.caption(t("room.locks_none"))
        for held in found:
            _lock(held)


def _lock(held: HeldLock) -> None:
    lock = held.lock
    key = f"{lock.account_id}_{lock.kind}"
    whose = f"{held.email} · {t('room.account_no', n=lock.account_id)}" if lock.account_id else t("room.whole")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"held_{key}"):
        st.badge(
            f"{plain(lock_name(lock.kind, tongue()))} · {plain(_ends(lock))}", icon=":material/lock:", color="orange"
        )
        st.text(f"{whose}: {say(lock.why, language())}", width="stretch")
        with st.popover(t("stops.end"), icon=":material/lock_open:", key=f"unlock_{key}"):
            st.text(t("room.unlock_note"))
            with st.form(f"unlock_form_{key}", border=False):
                st.text_input(t("room.why"), key=f"unlock_why_{key}", max_chars=LONGEST_WHY)
                st.form_submit_button(t("room.unlock_do"), type="primary", on_click=_unlocked, args=(lock,))


def _ends(lock: RiskLock) -> str:
    if lock.until_ms >= FOREVER_MS:
        return t("stops.until_person")
    return t("stops.until", at=clock_time(lock.until_ms), zone=zone().label)


def _unlocked(lock: RiskLock) -> None:
    why = str(st.session_state[f"unlock_why_{lock.account_id}_{lock.kind}"] or "")
    tell(system().operators.room.unlock(require_operator(), lock.account_id, lock.kind, why), t("stops.ended"))


# --- other hands, and books -------------------------------------------------------------------------------------------


@st.fragment(run_every=EVERY)
@patient
def _hands() -> None:
    require_operator()
    readings = system().operators.readings
    hands, differing = readings.externals(), readings.differing()
    with st.container(border=True, key="hands"):
        st.subheader(t("room.hands"), anchor=False)
        if not hands and not differing:
            st.caption(t("room.hands_none"))
        for row in differing:
            at = f"{clock_time(row.checked_ms)} {zone().label}"
            st.warning(md("room.differs", who=row.email, by=plus(row.difference), at=at), icon=":material/balance:")
        if hands:
            names = [t(f"room.hand.{name}") for name in ("time", "person", "what", "until", "ended")]
            rows = [
                (
                    clock_time(one.lock.created_ms),
                    one.email,
                    say(one.lock.why, language()),
                    _ends(one.lock),
                    one.ended_by or "–",
                )
                for one in hands
            ]
            st.dataframe(frame(names, rows), hide_index=True, height="content", key="hands_table")
