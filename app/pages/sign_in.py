"""
The front door: what this is, that money can be lost, and three ways in.

Everything is drawn by one browser module that posts to our REST routes; no data of anybody is read here, only what an
operator says to everybody.
"""

from collections.abc import Mapping

import streamlit as st

from app.i18n import chosen_here, language, switch, t, words
from app.panels.notice import banner, doors
from app.system import system
from app.ui.small import door, remember_language

TEXTS = (
    "try",
    "try_note",
    "demo",
    "or",
    "sign_in",
    "register",
    "email",
    "password",
    "password_rule",
    "accept",
    "create",
    "enter",
    "invite",
    "invite_note",
    "closed",
    "code",
    "code_open",
    "forgot",
    "passkey",
    "reset_password",
    "reset_back",
    "reset_by_operator",
    "reset_save",
    "reset_saved",
    "reset_ask",
    "reset_note",
    "reset_sent",
    "email_moves",
    "email_do",
    "email_moved",
    "email_no_link",
)


def reset() -> None:
    """Draw the way to a new password, for whoever comes by its link."""
    _mailed("page.reset", {"mode": "reset", "mails": system().resets.can_mail})


def new_email() -> None:
    """Draw what the link to a new e-mail does, and the button that does it."""
    _mailed("page.email", {"mode": "email"})


def _mailed(name: str, shown: Mapping[str, object]) -> None:
    banner()
    remember_language(chosen_here())
    _, middle, _ = st.columns([1, 1.15, 1])
    with middle:
        st.title(t(name), anchor=False)
        with st.container(border=True):
            door({text: t(f"sign_in.{text}") for text in TEXTS}, words("refuse."), language(), shown)


def view() -> None:
    """Draw the front door."""
    banner()
    with st.container(horizontal=True, horizontal_alignment="right"):
        switch()
    remember_language(chosen_here())
    _, middle, _ = st.columns([1, 1.15, 1])
    with middle:
        st.title("Maemae 매매", anchor=False)
        st.markdown(t("sign_in.promise"))
        st.warning(t("sign_in.risk"), icon=":material/warning:")
        with st.container(border=True):
            mode = "register" if st.query_params.get("door") == "register" else "sign_in"
            door(
                {name: t(f"sign_in.{name}") for name in TEXTS}, words("refuse."), language(), {"mode": mode, **doors()}
            )
        st.caption(t("sign_in.open_source"))
