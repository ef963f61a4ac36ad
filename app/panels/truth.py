"""
Badges and the countdown, and where nothing can be entered now. The badges come by the account's channel.
"""

import streamlit as st

from app.i18n import language, md, t
from app.panels.away import patient
from app.session import require_user
from app.system import system
from app.ui import live
from app.ui.cockpit import seen_market
from app.ui.reasons import say_sentence
from app.ui.small import countdown
from lib.domain.account import AccountSettings
from lib.domain.candle import MINUTE_MS


def truth() -> None:
    """What the system says of itself."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="truth"):
        live.truth({"well": t("truth.well"), "bad": t("truth.bad")}, language())
        chosen = system().readings.settings(require_user().user_id)
        minutes = AccountSettings().cadence_min if chosen is None else chosen.settings.cadence_min
        countdown(t("truth.next_cycle"), system().clock.now_ms(), minutes * MINUTE_MS)


@st.fragment
@patient
def closed_market() -> None:
    """Across the page, while nothing can be entered where this person trades: why, and that it ends by itself."""
    holding = system().readings.holding(require_user().user_id)
    shut = system().readings.health(system().clock.now_ms()).closed_markets
    live.follow("market", seen_market(shut))
    for closed in shut:
        if holding is not None and closed.venue == holding.venue and closed.symbol in ("", holding.symbol):
            st.warning(md("truth.closed", why=say_sentence(closed.why, language())), icon=":material/event_busy:")
