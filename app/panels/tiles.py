"""
How the money stands: six tiles, whose figures come by the account's channel.
"""

import streamlit as st

from app.i18n import language, t
from app.system import system
from app.ui import live
from lib.accounts.web import SessionUser

KEYS = ("equity", "today", "open_pnl", "drawdown", "win_rate", "balance")


def tiles(user: SessionUser) -> None:
    """The tiles of the person's active account."""
    if system().readings.settings(user.user_id) is None:
        st.info(t("tiles.none"), icon=":material/account_balance_wallet:")
    else:
        labels = [(key, t(f"tiles.{key}"), t(f"tiles.{key}_help")) for key in KEYS]
        live.tiles(labels, language(), won=bool(system().readings.won_rates(user.user_id)))
