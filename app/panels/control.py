"""
The controls of the analyst: the switch, the risk level and what it means in numbers, leverage, an own prompt, asking
now. A read-only visitor sees them all and can move none.
"""

from dataclasses import replace

import streamlit as st

from app.i18n import language, t
from app.panels.asked import asked
from app.session import require_user
from app.system import system
from app.ui.reasons import say
from app.ui.write import percent
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.account import MAX_CUSTOM_PROMPT, RISK_PROFILES, AccountSettings, RiskLevel

HIGHEST_LEVERAGE = 25


def control(user: SessionUser) -> None:
    """Draw the panel; what a person changes here is saved for them alone."""
    chosen = system().readings.settings(user.user_id)
    with st.container(border=True, key="control"):
        st.subheader(t("control.title"), anchor=False)
        if chosen is None:
            st.caption(t("control.no_account"))
            if st.button(
                t("control.open_paper"), key="open_paper", disabled=user.read_only, width="stretch", type="primary"
            ):
                tell(system().trading.open_paper(require_user()), t("control.opened"))
                st.rerun()
            return
        _switch(user, chosen.auto_trade)
        _ask(user)
        asked()
        _form(user, chosen.settings)


def tell(refusal: Refusal | None, success: str) -> bool:
    """Say how an act ended; True when it was done."""
    if refusal is None:
        st.toast(success, icon=":material/check_circle:")
        return True
    st.toast(sentence(refusal), icon=":material/block:", duration="long")
    return False


def sentence(refusal: Refusal) -> str:
    """*refusal* in words; the engine's own sentence inside it too."""
    why = {name: say(str(value), language()) for name, value in refusal.params.items() if name == "why"}
    return t(refusal.key, **{**refusal.params, **why})


def _switch(user: SessionUser, on: bool) -> None:
    if user.read_only:
        # a disabled toggle is grey either way: a badge shows which
        st.badge(
            t("control.auto_trade"), icon=f":material/toggle_{'on' if on else 'off'}:", color="green" if on else "gray"
        )
    else:
        st.session_state["auto_trade"] = on
        st.toggle(t("control.auto_trade"), key="auto_trade", on_change=_switched)
    st.caption(t("control.auto_on" if on else "control.auto_off"))


def _switched() -> None:
    user, on = require_user(), bool(st.session_state["auto_trade"])
    tell(system().trading.set_auto_trade(user, on), t("control.switched_on" if on else "control.switched_off"))


def _ask(user: SessionUser) -> None:
    if st.button(
        t("control.ask_now"), key="ask_now", icon=":material/psychology:", disabled=user.read_only, width="stretch"
    ):
        tell(system().trading.ask_now(require_user()), t("control.asked"))


def _form(user: SessionUser, settings: AccountSettings) -> None:
    levels = list(RiskLevel)
    level = st.segmented_control(
        t("control.risk_level"),
        levels,
        default=settings.risk_level,
        format_func=lambda one: t(f"risk.{one.value}"),
        key="risk_level",
        required=True,
        disabled=user.read_only,
        width="stretch",
    )
    level = RiskLevel(level or settings.risk_level)
    profile = RISK_PROFILES[level]
    st.caption(
        t(
            "control.means",
            risk=percent(profile.risk_per_trade, places=1),
            leverage=profile.leverage_cap,
            confidence=percent(profile.min_confidence, places=0),
        )
    )
    leverage = st.slider(
        t("control.max_leverage"),
        1,
        HIGHEST_LEVERAGE,
        min(settings.max_leverage, HIGHEST_LEVERAGE),
        key="max_leverage",
        format="%d×",
        disabled=user.read_only,
    )
    if leverage > profile.leverage_cap:
        st.caption(t("control.capped", leverage=profile.leverage_cap))
    prompt = st.text_area(
        t("control.prompt"),
        settings.custom_prompt,
        max_chars=MAX_CUSTOM_PROMPT,
        key="custom_prompt",
        placeholder=t("control.prompt_hint"),
        height=90,
        disabled=user.read_only,
    )
    wanted = replace(settings, risk_level=level, max_leverage=int(leverage), custom_prompt=prompt.strip())
    unchanged = wanted == settings
    if st.button(
        t("control.save"), key="save", type="primary", disabled=user.read_only or unchanged, width="stretch"
    ) and tell(system().trading.change_settings(require_user(), wanted), t("control.saved")):
        st.rerun()
