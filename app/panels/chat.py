"""
Binding a Telegram chat: the code is shown in the run that made it and is kept nowhere but in the person's own chat.

Making one wants a proof of the last five minutes. While a code is shown the panel looks whether it was used, and the
page is drawn anew when it was; a bound chat is one of the channels.
"""

import streamlit as st

from app.i18n import md, t
from app.panels.away import patient
from app.panels.step_up import is_proved, proof
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.chat import BOT, OFFER_MS

LOOK_S = 3
_SHOWN = "_chat_code"


def chat(user: SessionUser) -> None:
    """Draw the section; nothing for who only looks, for guests, and where there is no bot."""
    bot = system().readings.bot()
    if user.read_only or user.is_guest or not bot:
        return
    with st.container(border=True, key="chat"):
        st.subheader(t("chat.title"), anchor=False)
        if _is_bound(user):
            st.session_state.pop(_SHOWN, None)
            st.caption(md("chat.bound", bot=f"@{bot}"))
            return
        st.caption(t("chat.note"))
        with st.expander(t("chat.bind"), icon=":material/add:"):
            if is_proved(user):
                _offer(bot)
            else:
                proof(user, "chat_proof")


def _is_bound(user: SessionUser) -> bool:
    return any(one.service == BOT for one in system().readings.channels(user.user_id))


def _offer(bot: str) -> None:
    st.text(t("chat.steps", bot=f"@{bot}"))
    st.link_button(t("chat.open"), f"https://t.me/{bot}", icon=":material/open_in_new:", width="stretch")
    if st.button(t("chat.make"), key="chat_make", width="stretch"):
        made = system().chats.offer(require_user())
        if isinstance(made, Refusal):
            tell(made, "")
            return
        st.session_state[_SHOWN] = (str(made), system().clock.now_ms() + OFFER_MS)
    code, until_ms = st.session_state.get(_SHOWN, ("", 0))
    if until_ms > system().clock.now_ms():
        st.code(code, language=None, wrap_lines=True)
        st.caption(t("chat.once"))
        _look()


@st.fragment(run_every=LOOK_S)
@patient
def _look() -> None:
    if _is_bound(require_user()):
        st.rerun(scope="app")
