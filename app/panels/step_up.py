"""
Proving once more whose session it is, where something asks for that: a box in a page, or a dialog over any page.

What is typed goes from the browser to our own route; the script hears that it was right, and reads the person anew.
"""

import streamlit as st

from app.i18n import t, words
from app.session import look_again, require_user
from app.system import system
from app.ui.small import guard
from lib.accounts.refusal import Refusal
from lib.accounts.step_up import UNPROVED, unproved
from lib.accounts.web import SessionUser

_WANTED = "_proof_wanted"


def is_proved(user: SessionUser) -> bool:
    """Whether *user* may do now what asks for a proof."""
    return unproved(user, system().clock.now_ms()) is None


def proof(user: SessionUser, key: str) -> None:
    """The form: a code of who has a second factor, else the password."""
    is_on = system().readings.factor(user.user_id).is_on
    st.text(t("proof.code_note" if is_on else "proof.password_note"))
    name = "code" if is_on else "password"
    fields = [
        {
            "name": name,
            "label": t(f"proof.{name}"),
            "type": "text" if is_on else "password",
            "autocomplete": "one-time-code" if is_on else "current-password",
        }
    ]
    text = {"submit": t("proof.submit"), "passkey": t("proof.passkey")}
    has_passkey = bool(system().readings.passkeys(user.user_id))
    data = {"kind": "form", "path": "/api/account/prove", "fields": fields, "text": text, "passkeys": has_passkey}
    if guard(key, data, words("refuse.")):
        look_again()
        st.rerun()


def want(answer: object) -> None:
    """Remember that *answer* asks for a proof, so that the page asks for it when it is next drawn as a whole."""
    if isinstance(answer, Refusal) and answer == UNPROVED:
        st.session_state[_WANTED] = True


def is_wanted() -> bool:
    """Whether a proof is waited for; a fragment then has the whole page drawn."""
    return bool(st.session_state.get(_WANTED))


def ask_if_wanted() -> None:
    """Open the dialog when something asked for a proof; call once a page."""
    if st.session_state.pop(_WANTED, False):
        _dialog()


def _dialog() -> None:
    @st.dialog(t("proof.title"))
    def opened() -> None:
        proof(require_user(), "proof_dialog")
        st.caption(t("proof.again"))

    opened()
