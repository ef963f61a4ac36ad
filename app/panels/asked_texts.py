"""What went to the analyst and what came back, letter by letter; who answered, how long it took, what it cost."""

import json
from typing import Literal

import streamlit as st

from app.i18n import clock_time, language, md, t, zone
from app.session import require_user
from app.system import system
from app.ui.analyst import analyst_name
from app.ui.letters import letters
from app.ui.models import usd
from app.ui.reasons import say
from app.ui.strategy_lines import input_name
from app.ui.write import count, exact
from lib.domain.input_blocks import BY_NAME, ShownNote, sent_values
from lib.domain.model_profile import DEFAULT_MODEL
from lib.queries import LogDetail

SHORT = 600
"""Letters that need no box of a fixed height."""


def asked_texts(found: LogDetail) -> None:
    """The call of one decision; a word when nobody was asked."""
    if not found.prompt and not found.archived:
        st.text(t("detail.not_asked"))
        return
    st.caption(md("detail.model", model=analyst_name(found.model, t), ms=count(found.latency_ms)))
    st.caption(
        md("detail.tokens", prompt=count(found.prompt_tokens), answer=count(found.completion_tokens), cost=_cost(found))
    )
    _chain(found)
    if found.decision is not None:
        # as high as it is: a phone breaks the reason into many lines, and a box would cut the last one in sight
        _text("detail.parsed", json.dumps(dict(found.decision)), "content")
    if found.archived:
        st.text(t("detail.archived"))
    else:
        _text("detail.raw", found.raw_answer, 220)
        _text("detail.prompt", found.prompt, 320)
    if found.inputs:
        _blocks(found)


def _blocks(found: LogDetail) -> None:
    """Each block as it was sent, found in the prompt by its hash; of the others why they were left out."""
    there = [note for note in found.inputs if not note.left_out]
    st.caption(md("detail.blocks", n=len(there), tokens=count(sum(note.tokens for note in there))))
    sent = sent_values(found.prompt, there)
    with st.container(gap="xsmall"):
        for note in there:
            _block(note, sent.get(note.name))
        for note in found.inputs:
            if note.left_out:
                st.caption(f":orange[{md('detail.block_out', name=_named(note), why=say(note.left_out, language()))}]")


def _block(note: ShownNote, sent: str | None) -> None:
    at = f"{clock_time(note.seen_ms)} {zone().label}" if note.seen_ms else "–"
    with st.expander(md("detail.block", name=_named(note), tokens=count(note.tokens), at=at)):
        st.caption(md("detail.block_sha", sha=note.sha256))
        if sent is not None:
            letters(sent, "content" if len(sent) < SHORT else 200)


def _named(note: ShownNote) -> str:
    block = BY_NAME.get(note.name)
    return input_name(block, t) if block else note.name


def _chain(found: LogDetail) -> None:
    """Who was asked, in order, what came of it and what it cost; silent where the usual model answered at once."""
    lines = system().readings.model_lines(require_user().user_id, found.row.id)
    if len(lines) == 1 and lines[0].name == DEFAULT_MODEL:
        return
    for place, line in enumerate(lines, 1):
        name = t("model.default") if line.name == DEFAULT_MODEL else line.name
        ended = say(line.why, language()) if line.state == "failed" else line.answered
        cost = t("model.cost_unknown") if line.usd is None else usd(line.usd)
        shared = f" · {t('model.shared', n=line.people)}" if line.people > 1 else ""
        st.text(t("model.line", place=place, name=name, ended=ended, cost=cost) + shared)


def _cost(found: LogDetail) -> str:
    return t("detail.no_cost") if found.cost_usd is None else f"${exact(found.cost_usd)}"


def _text(title: str, text: str, height: int | Literal["content"]) -> None:
    st.caption(t(title))
    letters(_pretty(text), height)


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=1)
    except ValueError:
        return text
