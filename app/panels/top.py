"""
The line above every page: its title or badges to the left, who is signed in and the language to the right; over it,
what an operator says to everybody.
"""

from collections.abc import Callable

import streamlit as st

from app.i18n import chosen_here, switch, t
from app.panels.bell import bell
from app.panels.notice import banner
from app.panels.step_up import ask_if_wanted
from app.ui.plain import plain
from app.ui.small import leave, remember_language, wear
from lib.accounts.web import SessionUser


def top(user: SessionUser, left: Callable[[], None]) -> None:
    """Draw it; *left* draws its left part."""
    banner()
    ask_if_wanted()
    if not user.read_only:
        wear(user.theme)  # not in the popover below: what is in there is not there while it is closed
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="top"):
        with st.container(width="stretch"):
            left()
        bell(user)
        name = t("top.guest") if user.is_guest else user.email.split("@")[0]
        with st.popover(plain(name), icon=":material/account_circle:", key="me"):
            st.text(t("top.guest_note") if user.is_guest else user.email)
            switch()
            if user.read_only:
                remember_language(chosen_here())
            leave(t("top.sign_out"), _asked(user))


def _asked(user: SessionUser) -> dict[str, str] | None:
    """What a guest is asked before they leave, for they cannot come back."""
    return {name: t(f"top.leave.{name}") for name in ("text", "yes", "no")} if user.is_guest else None


def title(key: str) -> Callable[[], None]:
    """A left part that is a page's title."""
    return lambda: _title(key)


def _title(key: str) -> None:
    st.title(t(key), anchor=False)
