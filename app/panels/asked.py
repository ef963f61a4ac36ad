"""
What became of the last thing asked of the trader by hand: waiting, under way, or its end, also when refused.

Looked at only while it is young; an old one is in the log like every other decision.
"""

import streamlit as st

from app.i18n import clock_time, language, md, zone
from app.session import require_user
from app.system import system
from app.ui.reasons import say
from lib.domain.command import CommandKind
from lib.queries import CommandRow

YOUNG_MS = 10 * 60_000


def asked(kind: CommandKind = "ask_now", words: str = "command") -> None:
    """
    Draw it, if the newest command is of *kind* and young; the panel around it draws it anew every two seconds.

    *words* begins the keys of its sentences.
    """
    found = _newest(kind)
    if found is None:
        return
    at = f"{clock_time(found.asked_ms, date=False)} {zone().label}"
    st.caption(md(f"{words}.{found.state}", at=at))
    if found.state == "done":
        # may quote an analyst: plain text, never markup
        st.text(say(found.result, language()))


def _newest(kind: CommandKind) -> CommandRow | None:
    found = system().readings.command(require_user().user_id)
    if found is None or found.kind != kind or system().clock.now_ms() - found.asked_ms > YOUNG_MS:
        return None
    return found
