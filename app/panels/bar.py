"""
The bar that stays on every page: how the account stands, price, open P&L, and the buttons that stop it.

It is drawn once by the script; everything in it comes by the account's channel, and its buttons speak to our REST
routes, so neither needs a run. Who may only look sees it and can press nothing.
"""

from app.i18n import language, t, words
from app.panels.step_up import want
from app.panels.symbols import asked_symbol
from app.ui import live
from lib.accounts.step_up import UNPROVED
from lib.accounts.web import SessionUser

STATES = ("none", "off", "on", "stopping", "stopped")
WORDS = {
    "pause": "stops.pause",
    "paused": "stops.paused",
    "resume": "stops.resume",
    "resumed": "stops.resumed",
    "flatten": "stops.flatten",
    "flatten_sure": "stops.flatten_sure",
    "flatten_yes": "stops.flatten_yes",
    "flatten_asked": "stops.flatten_asked",
    "open_pnl": "tiles.open_pnl",
    "read_only": "top.demo",
}


def bar(user: SessionUser) -> None:
    """Draw it."""
    text = {name: t(key) for name, key in WORDS.items()}
    text |= {f"state_{state}": t(f"state.{state}") for state in STATES} | {"state_locked": t("state.lock")}
    text |= {name: t(f"bar.{name}") for name in ("pause_short", "resume_short", "flatten_short", "no", "dead", "day")}
    live.bar(text, words("refuse."), language(), lambda: want(UNPROVED), asked_symbol(), read_only=user.read_only)
