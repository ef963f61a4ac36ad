"""What went to the analyst and what came back, letter by letter; who answered, how long it took, what it cost."""

import json

import streamlit as st

from app.i18n import md, t
from app.ui.analyst import analyst_name
from app.ui.letters import letters
from app.ui.write import count, exact
from lib.queries import LogDetail


def asked_texts(found: LogDetail) -> None:
    """The call of one decision; a word when nobody was asked."""
    if not found.prompt and not found.archived:
        st.text(t("detail.not_asked"))
        return
    st.caption(md("detail.model", model=analyst_name(found.model, t), ms=count(found.latency_ms)))
    st.caption(
        md("detail.tokens", prompt=count(found.prompt_tokens), answer=count(found.completion_tokens), cost=_cost(found))
    )
    if found.decision is not None:
        _text("detail.parsed", json.dumps(dict(found.decision)), 180)
    if found.archived:
        st.text(t("detail.archived"))
        return
    _text("detail.raw", found.raw_answer, 220)
    _text("detail.prompt", found.prompt, 320)


def _cost(found: LogDetail) -> str:
    return t("detail.no_cost") if found.cost_usd is None else f"${exact(found.cost_usd)}"


def _text(title: str, text: str, height: int) -> None:
    st.caption(t(title))
    letters(_pretty(text), height)


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=1)
    except ValueError:
        return text
