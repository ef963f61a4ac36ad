"""
The open position under the chart: figures by the account's channel, and the button that closes it.

Closing it is the account's own way of closing (`/api/flatten`): what this program opened is closed at the market and
new entries stop. There is no second way.
"""

from app.i18n import language, t
from app.ui import live
from lib.accounts.web import SessionUser

NAMES = (
    "flat", "long", "short", "entry", "price", "notional", "margin", "liquidation", "stop", "target", "risk",
    "thesis", "more", "close", "closing", "price_help", "liquidation_help", "risk_help", "margin_help",
)  # fmt: skip


def position(user: SessionUser) -> None:
    """Draw it."""
    text = {name: t(f"position.{name}") for name in NAMES}
    text |= {"sure": t("stops.flatten_sure"), "yes": t("position.close_yes")}
    text |= {"asked": t("stops.flatten_asked"), "no": t("bar.no")}
    live.position(text, language(), "/trade_logs?log=", read_only=user.read_only)
