"""
The line above every page: its title or badges to the left, who is signed in and the language to the right.
"""

from collections.abc import Callable

import streamlit as st

from app.i18n import chosen_here, switch, t
from app.ui.plain import plain
from app.ui.small import leave, remember_language
from lib.accounts.web import SessionUser


def top(user: SessionUser, left: Callable[[], None]) -> None:
    """Draw it; *left* draws its left part."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="top"):
        with st.container(width="stretch"):
            left()
        name = user.email.split("@")[0]
        with st.popover(plain(name), icon=":material/account_circle:", key="me"):
            st.text(user.email)
            switch()
            if user.read_only:
                remember_language(chosen_here())
            leave(t("top.sign_out"))
    if user.read_only:
        st.info(t("top.demo"), icon=":material/visibility:")


def title(key: str) -> Callable[[], None]:
    """A left part that is a page's title."""
    return lambda: _title(key)


def _title(key: str) -> None:
    st.title(t(key), anchor=False)
