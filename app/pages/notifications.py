"""
Notifications: everything the person was told, newest first, page by page; beside it where and when else they are told.

Looking is seeing: what stands on the first page is marked as seen, for who is not a visitor. Where a page begins stands
in the address (`?below=`); whose rows they may be is the query's to decide.
"""

import streamlit as st

from app.i18n import clock_time, language, md, t, zone
from app.panels.channels import channels, choices
from app.panels.chat import chat
from app.panels.top import title, top
from app.session import require_user
from app.system import system
from app.ui.notices import notice_list
from app.ui.reasons import say_sentence
from lib.accounts.web import SessionUser
from lib.domain.reason import Reason
from lib.queries import NoticePage

LIMIT = 20


def _below() -> int | None:
    text = st.query_params.get("below", "")
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _turn(below: int | None) -> None:
    if below is None:
        st.query_params.pop("below", None)
    else:
        st.query_params["below"] = str(below)


def _say(reason: Reason) -> str:
    return say_sentence(reason, language())


def _history(user: SessionUser) -> None:
    below = _below()
    found = system().readings.notices(user.user_id, LIMIT, below)
    with st.container(border=True, key="notices"):
        st.subheader(t("told.history"), anchor=False)
        if not found.rows:
            st.text(t("told.none"))
            return
        st.caption(md("told.history_note", zone=zone().label))
        st.html(notice_list(found.rows, _say, lambda ms: clock_time(ms)[5:-3], t("told.new")))
        _pages(found, below)
    if below is None and not user.read_only:
        system().notices.see(user, found.rows[0].id)


def _pages(found: NoticePage, below: int | None) -> None:
    if below is None and found.older is None:
        return
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.button(
            t("told.newest"), icon=":material/first_page:", key="newest", disabled=below is None, type="tertiary",
            on_click=_turn, args=(None,),
        )  # fmt: skip
        st.button(
            t("told.older"), icon=":material/chevron_right:", key="older", disabled=found.older is None,
            type="tertiary", on_click=_turn, args=(found.older,),
        )  # fmt: skip


signed_in = require_user()
top(signed_in, title("page.notifications"))
if signed_in.read_only:
    _history(signed_in)
else:
    left, right = st.columns([3, 2], gap="small")
    with left:
        _history(signed_in)
    with right:
        chat(signed_in)
        channels(signed_in)
        choices(signed_in)
