"""
Badges and the countdown, and where nothing can be entered now; read anew every five seconds.
"""

import streamlit as st

from app.i18n import language, md, t
from app.panels.away import patient
from app.session import require_user
from app.system import system
from app.ui.badges import Badge, badges
from app.ui.reasons import say_sentence
from app.ui.small import countdown


@st.fragment(run_every="5s")
@patient
def truth() -> None:
    """What the system says of itself now."""
    user = require_user()
    now_ms = system().clock.now_ms()
    health, holding = system().readings.health(now_ms), system().readings.holding(user.user_id)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="truth"):
        for badge in badges(health, now_ms, holding.venue if holding else None):
            st.badge(_words(badge), icon=f":material/{badge.icon}:", color=badge.tone)
        countdown(t("truth.next_cycle"), now_ms)


@st.fragment(run_every="5s")
@patient
def closed_market() -> None:
    """Across the page, while nothing can be entered where this person trades: why, and that it ends by itself."""
    holding = system().readings.holding(require_user().user_id)
    for closed in system().readings.health(system().clock.now_ms()).closed_markets:
        if holding is not None and closed.venue == holding.venue and closed.symbol in ("", holding.symbol):
            st.warning(md("truth.closed", why=say_sentence(closed.why, language())), icon=":material/event_busy:")


def _words(badge: Badge) -> str:
    if badge.age is None:
        return md(badge.key, name=badge.name)
    unit, number = badge.age
    return md(badge.key, age=t(unit, n=number))
