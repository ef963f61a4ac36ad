"""
Settings of the person: language, the hard limits that hold for their account, ending every session; for a guest the
way to stay.
"""

from typing import get_args

import streamlit as st

from app.i18n import md, switch, t, words, zone
from app.panels.control import tell
from app.panels.notice import doors
from app.panels.tokens import tokens
from app.panels.top import title, top
from app.session import look_again, require_user
from app.system import system
from app.ui.analyst import analyst_name
from app.ui.small import keep
from app.ui.write import exact, percent
from lib.accounts.web import SessionUser
from lib.domain.account import Colours, Limits
from lib.domain.analyst_name import is_rules

KEEP_TEXTS = ("email", "password", "password_rule", "invite", "invite_note")


def _language() -> None:
    with st.container(border=True, key="language"):
        st.subheader(t("settings.language"), anchor=False)
        switch("lang_again")
        st.caption(md("settings.times", zone=zone().label))


def _colours(user: SessionUser) -> None:
    with st.container(border=True, key="colours"):
        st.subheader(t("settings.colours"), anchor=False)
        if st.session_state.get("rise") != user.colours:
            st.session_state["rise"] = user.colours
        st.segmented_control(
            t("settings.colours"),
            get_args(Colours),
            format_func=lambda one: t(f"colours.{one}"),
            key="rise",
            label_visibility="collapsed",
            required=True,
            disabled=user.read_only,
            on_change=_coloured,
        )


def _coloured() -> None:
    user = require_user()
    tell(system().people.change_looks(user, user.locale, st.session_state["rise"]), t("settings.saved"))
    look_again()


def _limits(limits: Limits) -> None:
    with st.container(border=True, key="limits"):
        st.subheader(t("settings.limits"), anchor=False)
        st.caption(t("settings.limits_note"))
        cells = (
            ("daily_loss", percent(limits.daily_loss, places=0)),
            ("drawdown", percent(limits.drawdown, places=0)),
            ("loss_streak", str(limits.loss_streak)),
            ("entries_per_day", str(limits.entries_per_day)),
            ("cooldown", t("age.minutes", n=limits.cooldown_ms // 60_000)),
            ("max_exposure", f"{exact(limits.max_exposure)}×"),
            ("max_margin", percent(limits.max_margin, places=0)),
            ("analyst_failures", str(limits.analyst_failures)),
            ("analyst_tokens", f"{limits.analyst_tokens:,}"),
        )
        grid = st.grid(columns="auto", min_column_width=150, gap="small")
        for name, value in cells:
            with grid:
                st.metric(t(f"limit.{name}"), value, border=True)


def _analyst() -> None:
    """Who answers here and how it is asked; nothing before the first answer."""
    if (found := system().readings.analyst_profile()) is None:
        return
    with st.container(border=True, key="analyst"):
        st.subheader(t("settings.analyst"), anchor=False)
        st.text(analyst_name(found.answered, t))
        if not is_rules(found.answered):
            st.caption(md("settings.analyst_how", host=found.host, model=found.model))
            st.code(found.how, language=None, wrap_lines=True)


def _sessions(user: SessionUser) -> None:
    with st.container(border=True, key="sessions"):
        st.subheader(t("settings.sessions"), anchor=False)
        st.caption(t("settings.sessions_note"))
        st.page_link("app/pages/account.py", label=t("page.account"), icon=":material/shield_person:")
        if st.button(t("settings.everywhere"), key="everywhere", icon=":material/logout:", disabled=user.read_only):
            answer = system().people.sign_out_everywhere(require_user())
            if tell(answer, t("settings.everywhere")):
                st.rerun()


def _keep() -> None:
    with st.container(border=True, key="keep"):
        st.subheader(t("settings.keep"), anchor=False)
        st.caption(t("settings.keep_note"))
        text = {name: t(f"sign_in.{name}") for name in KEEP_TEXTS}
        keep({**text, "keep": t("settings.keep_do"), "closed": t("settings.keep_closed")}, words("refuse."), doors())


signed_in = require_user()
top(signed_in, title("page.settings"))
left, right = st.columns(2, gap="small")
with left:
    _language()
    _colours(signed_in)
    _analyst()
    if signed_in.is_guest:
        _keep()  # who has no password has no other device either
    else:
        _sessions(signed_in)
        tokens(signed_in)
with right:
    if (chosen := system().readings.settings(signed_in.user_id)) is not None:
        _limits(chosen.settings.limits)
