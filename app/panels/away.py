"""
What a panel shows while a store is away: one sentence instead of itself; the next pass tries again.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from app.i18n import t
from lib.domain.errors import Retry

P = ParamSpec("P")


def patient(draw: Callable[P, None]) -> Callable[P, None]:
    """*draw*, saying so when something it reads cannot be reached now."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            draw(*args, **kwargs)
        except Retry:
            st.warning(t("refuse.busy"), icon=":material/hourglass_top:")

    return drawn
