"""
The one word for an account, off, on, stopping or stopped (confirmed), with its reason: the same on every page.

Read anew before two seconds are over wherever it stands, so that all tabs and devices say the same.
"""

from typing import get_args

import streamlit as st

from app.i18n import clock_time, language, t, zone
from app.panels.away import patient
from app.session import require_user
from app.system import system
from app.ui.badges import STATES
from app.ui.reasons import say
from lib.domain.gates import GateKind
from lib.queries import Standing

EVERY = 1.5
"""Seconds: whatever changed elsewhere is here within two."""
LOCKS: tuple[str, ...] = get_args(GateKind)
"""Kinds with a name of their own in the catalogues."""


def standing() -> Standing | None:
    """How the account of this run's person stands; None without one."""
    return system().readings.standing(require_user().user_id)


def state_box() -> None:
    """The word and its reason as a part of a page; nothing for who has no account."""
    if standing() is not None:
        with st.container(border=True, key="state"):
            st.subheader(t("state.title"), anchor=False)
            _box()


@st.fragment(run_every=EVERY)
@patient
def _box() -> None:
    if (found := standing()) is not None:
        draw_state(found)


def draw_state(found: Standing) -> None:
    """The word, and under it why."""
    state_badge(found)
    for reason in state_reason(found):
        st.text(reason)


def state_badge(found: Standing) -> None:
    """The word alone."""
    tone, icon = STATES[found.state]
    st.badge(t(f"state.{found.state}"), icon=f":material/{icon}:", color=tone)


def state_reason(found: Standing) -> list[str]:
    """Why it is so, as sentences; who stopped it may have written one: all of it is plain text, never markup."""
    if not found.is_halted:
        locks = ", ".join(dict.fromkeys(lock_name(lock.kind) for lock in (*found.platform_locks, *found.locks)))
        locked = [t("state.locked", locks=locks)] if locks and found.auto_trade else []
        return [t("control.auto_on" if found.auto_trade else "control.auto_off"), *locked, *_open_rows(found)]
    headline = t("stops.platform" if found.platform.is_thrown else "stops.own")
    return [*filter(None, (headline, say(found.why, language()))), how_far(found), *_open_rows(found)]


def how_far(found: Standing) -> str:
    """How far a stop has come: never "stopped" before the proof."""
    if found.state != "stopped":
        return t("stops.closing" if found.flattens else "stops.stopping")
    at = f"{clock_time(found.proven_ms, date=False)} {zone().label}"
    return t("stops.closed" if found.flattens else "stops.stopped", at=at)


def lock_name(kind: str) -> str:
    """What a lock is called."""
    return t(f"lock.{kind}") if kind in LOCKS else kind


def _open_rows(found: Standing) -> list[str]:
    if found.state != "stopping" or not found.open_rows:
        return []
    return [t("stops.open_rows", n=len(found.open_rows))]
