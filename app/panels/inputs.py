"""
What the analyst is shown beside the candles: a switch for each block, with what it adds to a question and to a day.

A block whose switch is on and that would be left out now says why. Each change is a version of the strategy that runs.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import streamlit as st

from app.i18n import language, md, t
from app.panels.symbols import chosen_symbol
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from app.ui.reasons import say
from app.ui.strategy_lines import input_name
from app.ui.write import count, shown
from lib.accounts.web import SessionUser
from lib.bootstrap.preview import Offer
from lib.domain import reason_codes as codes
from lib.domain.input_blocks import OFFERED, Block, ShownNote, in_order
from lib.domain.measures import MEASURE_KINDS
from lib.market.sight import is_of_candles
from lib.queries import Choices

GROUPS = ("bars", "indicators", "market", "own", "calendar", "news")
COLUMN = 215
"""Pixels: six groups in a row on a desk's screen, one under the other on a phone."""


def inputs(user: SessionUser, chosen: Choices) -> None:
    """Draw the switches."""
    offer = system().previews.offered(user.user_id, chosen_symbol(user))
    st.caption(t("control.prompt_guest" if user.is_guest else "input.note"))
    notes = {one.name: one for one in offer.blocks} if offer else {}
    if offer is not None:
        on = _tokens(chosen.settings.inputs, notes)
        st.markdown(f"**{md('input.sum', n=len(on), cost=_cost(t, offer, sum(on)))}**")
    with st.grid(columns="auto", min_column_width=COLUMN, gap="small"):
        for group in GROUPS:
            blocks = [one for one in OFFERED if _group(one) == group and not _is_idle(one, notes, chosen)]
            if blocks:
                _folded(user, chosen, group, blocks, notes, offer)


def _folded(
    user: SessionUser,
    chosen: Choices,
    group: str,
    blocks: list[Block],
    notes: Mapping[str, ShownNote],
    offer: Offer | None,
) -> None:
    """
    One group under its name with what is chosen of it. A phone shows a button in the name's place, which folds the
    group (`app.ui.style`); a wide screen shows every group.
    """
    on = _tokens([one for one in chosen.settings.inputs if one in blocks], notes)
    name, fold = t(f"input.of_{group}"), f"fold_{group}"
    told = md("input.group", n=len(on), tokens=count(sum(on))) if on else md("input.group_none")
    is_open = bool(st.session_state.get(f"_{fold}"))
    with st.container(border=True, height="stretch", gap="xsmall", key=f"inputs_{group}"):
        st.button(
            f"{name} · {told}",
            key=fold,
            icon=f":material/{'expand_less' if is_open else 'expand_more'}:",
            type="tertiary",
            width="stretch",
            on_click=_fold,
            args=(fold,),
        )
        with st.container(gap=None, key=f"named_{group}"):
            st.markdown(f"**{md(f'input.of_{group}')}**")
            st.caption(told)
        with st.container(gap="xsmall", key=f"opened_{group}" if is_open else f"shut_{group}"):
            for block in blocks:
                _switch(user, chosen, block, notes.get(block.name), offer)


def _fold(fold: str) -> None:
    st.session_state[f"_{fold}"] = not st.session_state.get(f"_{fold}")


def _tokens(blocks: Iterable[Block], notes: Mapping[str, ShownNote]) -> list[int]:
    return [notes[one.name].tokens for one in blocks if one.name in notes]


def _is_idle(block: Block, notes: Mapping[str, ShownNote], chosen: Choices) -> bool:
    """News where nobody reads any: a switch that could do nothing."""
    nothing = block.name not in notes or notes[block.name].left_out.code == codes.INPUT_MISSING.name
    return block.kind == "news" and nothing and block not in chosen.settings.inputs


def _group(block: Block) -> str:
    if is_of_candles(block) or block.kind == "calendar":
        return block.kind
    return "market" if block.kind in MEASURE_KINDS else "news" if block.kind in ("news", "blindfold") else "own"


def _switch(user: SessionUser, chosen: Choices, block: Block, note: ShownNote | None, offer: Offer | None) -> None:
    key = f"sees_{block.name}"
    is_on = block in chosen.settings.inputs
    if st.session_state.get(key) != is_on:
        st.session_state[key] = is_on
    with st.container(gap=None, key=f"{key}_card"):
        st.toggle(
            input_name(block, t),
            key=key,
            disabled=user.read_only or user.is_guest,
            on_change=_set,
            args=(block, key, chosen.settings_version),
            help=t(f"input.{block.kind}_note") if block.kind in ("blindfold", "news") else None,
        )
        if note is not None and note.left_out:
            st.caption(f":orange[{md('input.left_out', why=say(note.left_out, language()))}]")
        elif note is not None and offer is not None:
            st.caption(_cost(md, offer, note.tokens))


def _cost(words: Callable[..., str], offer: Offer, tokens: int) -> str:
    """Tokens of a question, and USD of a day where prices are known; else a day's tokens."""
    day = tokens * offer.calls
    if offer.a_token is None:
        return words("input.cost_tokens", tokens=count(tokens), day=count(day))
    return words("input.cost", tokens=count(tokens), day=f"${shown(f'{offer.a_token * day:,.2f}')}")


def _set(block: Block, key: str, version: int) -> None:
    user = require_user()
    chosen = system().readings.settings(user.user_id)
    if chosen is not None:
        names = {one.name for one in chosen.settings.inputs} - {block.name}
        wanted = in_order(names | {block.name} if st.session_state.get(key) else names)
        tell(system().trading.change_settings(user, replace(chosen.settings, inputs=wanted), version), t("strat.next"))
