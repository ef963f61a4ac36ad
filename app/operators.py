"""
Whether this run is an operator's, asked anew each time: a role that was taken shows nothing from that moment on.
"""

import streamlit as st

from app.session import current_user, require_user
from app.system import system
from app.ui.small import go
from lib.accounts.web import SessionUser
from lib.domain.errors import Retry

HOME = "/"
"""The address of the dashboard."""


def is_operator() -> bool:
    """Whether the person of this run is an operator now; not while the database cannot say."""
    user = current_user()
    try:
        return user is not None and system().operators.room.admits(user)
    except Retry:
        return False


def require_operator() -> SessionUser:
    """The operator; for everybody else nothing is drawn and the dashboard comes in its place."""
    user = require_user()
    if not is_operator():
        go(HOME)
        st.stop()
    return user
