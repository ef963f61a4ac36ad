"""
The one word for an account as a badge, for who looks at somebody else's: one's own stands in the bar (app.panels.bar).
"""

import streamlit as st

from app.i18n import t
from app.ui.badges import STATES
from lib.queries import Standing

EVERY = 1.5
"""Seconds: whatever changed elsewhere is here within two."""


def state_badge(found: Standing) -> None:
    """The word alone."""
    tone, icon = STATES[found.state]
    st.badge(t(f"state.{found.state}"), icon=f":material/{icon}:", color=tone)
