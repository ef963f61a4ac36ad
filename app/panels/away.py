"""
What a panel shows while a store is away: one sentence instead of itself; the next pass tries again.
"""

from collections.abc import Callable
from functools import wraps

import streamlit as st

from app.i18n import t
from lib.domain.errors import Retry


def patient(draw: Callable[[], None]) -> Callable[[], None]:
    """*draw*, saying so when something it reads cannot be reached now."""

    @wraps(draw)
    def drawn() -> None:
        try:
            draw()
        except Retry:
            st.warning(t("refuse.busy"), icon=":material/hourglass_top:")

    return drawn
