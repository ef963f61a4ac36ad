"""
The open position under the chart: figures by the account's channel, and the button that closes it.

Closing it (`/api/close`) closes what this program opened of it, at the market, and switches nothing; the question
before says what goes on. Closing everything and stopping entries is the bar's.
"""

import streamlit as st

from app.i18n import language, t
from app.panels.symbols import show_symbol
from app.ui import live
from lib.accounts.web import SessionUser

NAMES = (
    "flat", "long", "short", "entry", "price", "notional", "margin", "liquidation", "stop", "target", "risk",
    "thesis", "more", "close", "closing", "price_help", "liquidation_help", "estimate",
    "estimate_help", "risk_help", "margin_help", "others", "show",
)  # fmt: skip


def position(user: SessionUser, symbol: str, *, several: bool) -> None:
    """Draw that of *symbol*; *several* = there are others, and what is open in them is shown beside it."""
    text = {name: t(f"position.{name}") for name in NAMES}
    text |= {
        name: t(f"position.{name}") for name in ("sure", "sure_on", "sure_off", "sure_halted", "asked", "close_yes")
    }
    text |= {"no": t("bar.no")}
    live.position(text, language(), "/trade_logs?log=", (symbol, several), _chosen, read_only=user.read_only)


def _chosen() -> None:
    state = st.session_state.get("position") or {}
    show_symbol(str(state.get("symbol") or ""))
