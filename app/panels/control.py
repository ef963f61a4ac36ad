"""
The controls of the analyst: what is chosen at one touch (`app/assets/live/switches.mjs`), asking now, and the
instructions of one's own.

A choice is saved by REST the moment it is made. The instructions are typed, so they have a draft (app.panels.draft)
and a button of their own; the fragment around them is drawn anew when the settings, or what was asked, changed in any
tab. A read-only visitor sees everything and can move nothing.
"""

import streamlit as st

from app.i18n import md, t
from app.panels.asked import asked
from app.panels.away import patient
from app.panels.editor import INSTRUCTIONS, editor
from app.panels.step_up import is_wanted
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from app.ui import live
from app.ui.analyst import analyst_name
from app.ui.cockpit import seen_settings
from app.ui.write import percent
from lib.accounts.web import SessionUser
from lib.domain.account import RISK_PROFILES, RiskLevel

HIGHEST_LEVERAGE = 25
SWITCHES = ("auto_trade", "auto_on", "auto_off", "risk_level", "max_leverage", "capped", "saved")
SWITCHED = ("switched_on", "switched_off")


def control(user: SessionUser) -> None:
    """Draw the panel; what a person changes here is saved for them alone."""
    with st.container(border=True, key="control"):
        st.subheader(t("control.title"), anchor=False)
        if (answering := system().readings.analyst_profile()) is not None:
            st.caption(md("control.analyst", name=analyst_name(answering.answered, t)))
        standing = system().readings.standing(user.user_id)
        # an account opened, or exchanged, in another tab is another page
        live.follow("account", "" if standing is None else str(standing.account_id))
        if standing is None:
            _newcomer(user)
        else:
            _switches(user)
            _panel()


def _newcomer(user: SessionUser) -> None:
    st.caption(t("control.no_account"))
    if st.button(t("control.open_paper"), key="open_paper", disabled=user.read_only, width="stretch", type="primary"):
        tell(system().trading.open_paper(require_user()), t("control.opened"))
        st.rerun()


def _switches(user: SessionUser) -> None:
    text = {name: t(f"control.{name}") for name in (*SWITCHES, *SWITCHED)}
    levels = {level: (t(f"risk.{level.value}"), _means(level)) for level in RiskLevel}
    live.switches(text, levels, HIGHEST_LEVERAGE, read_only=user.read_only)


def _means(level: RiskLevel) -> str:
    profile = RISK_PROFILES[level]
    return t(
        "control.means",
        risk=percent(profile.risk_per_trade, places=1),
        leverage=profile.leverage_cap,
        confidence=percent(profile.min_confidence, places=0),
    )


@st.fragment
@patient
def _panel() -> None:
    if is_wanted():
        st.rerun(scope="app")
    user = require_user()
    chosen = system().readings.settings(user.user_id)
    if chosen is None:
        return
    live.follow("settings", seen_settings(chosen, system().readings.command(user.user_id)))
    _ask(user)
    asked()
    editor(user, chosen, INSTRUCTIONS)


def _ask(user: SessionUser) -> None:
    if st.button(
        t("control.ask_now"), key="ask_now", icon=":material/psychology:", disabled=user.read_only, width="stretch"
    ):
        tell(system().trading.ask_now(require_user()), t("control.asked"))
