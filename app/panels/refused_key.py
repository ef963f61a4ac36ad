"""
Why an exchange key was not taken: our sentence and code, what has to be done about it, each right that was looked at
with what was found of it, and the exchange's own words.

What the exchange wrote is shown letter by letter, never as markup.
"""

import streamlit as st

from app.i18n import language, md, t
from app.panels.telling import sentence
from app.ui.reasons import say, say_sentence
from lib.accounts.key_gate import RIGHTS
from lib.accounts.refusal import Refusal

SAID = frozenset({"refuse.key.refused", "refuse.key.later"})
"""Refusals that carry what the exchange said."""


def refused_key(refusal: Refusal) -> None:
    """Draw it."""
    told = refusal.params
    with st.container(border=True, key="refused"):
        if refusal.key not in SAID:
            st.error(sentence(refusal), icon=":material/block:")
            for reason in refusal.reasons:
                st.text(f"· {say(reason, language())}")
            _rights(str(refusal.params.get("wrong", "")).split(","))
            return
        st.error(t(f"{refusal.key}.title"), icon=":material/block:")
        st.text(say_sentence(refusal.why, language()))
        for reason in refusal.reasons:
            st.text(f"· {say(reason, language())}")
        if address := told.get("address"):
            st.text(t("key.address_unknown") if address == "?" else t("key.address", address=address))
        if said := told.get("said"):
            st.caption(md("key.said", code=told.get("code", "")))
            st.code(str(said), language=None, wrap_lines=True)


def _rights(wrong: list[str]) -> None:
    """Each right by itself, as a taken key is told; nothing where none was found wrong."""
    if not set(wrong) & set(RIGHTS):
        return
    for name in RIGHTS:
        if name in wrong:
            st.markdown(f":red[:material/cancel:] {t(f'key.wrong_{name}')}")
        else:
            st.markdown(f":green[:material/check_circle:] {t(f'checked.{name}')}")
