"""
Widgets whose options are words: the choice is the option's value, in whatever language the words are.

A browser keeps and sends the *label* of what was chosen. After a switch of language, here or in another tab, that label
is no option any more: Streamlit would reset the choice, or show the old word as if it could be chosen.
"""

import streamlit as st

from app.i18n import language


def still(key: str) -> str:
    """
    The *key* of a select box or segmented control whose labels are translated: `key=still("outcome")`.

    In the first run of another language the choice, read by the labels it was made in, is put into the session as if
    code had chosen it: the browser is then sent the label of today.
    """
    spoken = language()
    if st.session_state.get(_said(key)) != spoken:
        st.session_state[_said(key)] = spoken
        if st.session_state.get(key) is not None:
            st.session_state[key] = st.session_state[key]
    return key


def _said(key: str) -> str:
    return f"_{key}_said_in"
