"""How an act ended, said to who asked for it: a toast, or a refusal's own sentence."""

import streamlit as st

from app.i18n import language, md, t, words
from app.panels.step_up import want
from app.ui.reasons import say
from app.ui.write import count
from lib.accounts.refusal import Refusal
from lib.domain.reason import Reason


def tell(refusal: Refusal | None, success: str) -> bool:
    """Say how an act ended; True when it was done."""
    if refusal is None:
        st.toast(success, icon=":material/check_circle:")
        return True
    want(refusal)
    st.toast(sentence(refusal), icon=":material/block:", duration="long")
    return False


def sentence(refusal: Refusal) -> str:
    """*refusal* in words, for a toast or a message: the engine's or the exchange's own sentence in it is text."""
    return md(refusal.key, **{name: _word(name, value) for name, value in refusal.params.items()})


def _word(name: str, value: object) -> object:
    """A refusal's parameter as people read it: no page names a field or a limit as the code does."""
    if isinstance(value, Reason):
        return say(value, language())
    if name in ("field", "name"):
        keys = (f"{kind}.{value}" for kind in ("field", "limit"))
        return next((t(key) for key in keys if key in words("")), value)
    return count(value) if isinstance(value, int) else value
