"""
What the account trades: its symbols among those the operator offers, and how much it may have open in all of them.

A choice is in force from the next decision on. Nothing is entered any more in a symbol that was taken off; what is open
there is guarded until it is closed, and the card says so.
"""

from dataclasses import replace

import streamlit as st

from app.i18n import md, t
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from app.ui.knobs import LIMITS, Knob
from lib.accounts.web import SessionUser
from lib.queries import Choices

KEY = "traded_symbols"
OVER_ALL = tuple(knob for knob in LIMITS if knob.name in ("max_positions", "correlation"))
"""The limits that are about several symbols alone."""
COLUMN = 240
"""Pixels: two beside each other in half a page, one on a phone."""


def traded(user: SessionUser) -> None:
    """Draw the card; nothing without an account, and where there is one symbol alone."""
    held, chosen = system().readings.holdings(user.user_id), system().readings.settings(user.user_id)
    options = list(dict.fromkeys((*system().symbols, *(one.symbol for one in held if one.position_qty))))
    if not held or chosen is None or len(options) < 2:
        return
    on = [one.symbol for one in held if one.traded]
    with st.container(border=True, key="traded"):
        st.subheader(t("traded.title"), anchor=False)
        st.caption(t("traded.note"))
        if st.session_state.get(KEY) != on:
            st.session_state[KEY] = on
        st.pills(
            t("traded.title"),
            options,
            selection_mode="multi",
            key=KEY,
            label_visibility="collapsed",
            disabled=user.read_only,
            on_change=_choose,
        )
        for one in held:
            if not one.traded and one.position_qty:
                st.caption(f":orange[{md('traded.guarded', symbol=one.symbol)}]")
        with st.grid(columns="auto", min_column_width=COLUMN, gap="small"):
            for knob in OVER_ALL:
                _limit(user, chosen, knob)


def _choose() -> None:
    wanted = [str(one) for one in st.session_state.get(KEY) or ()]
    tell(system().trading.choose_symbols(require_user(), wanted), t("strat.next"))


def _limit(user: SessionUser, chosen: Choices, knob: Knob) -> None:
    key = f"over_all_{knob.name}"
    value = knob.shown(getattr(chosen.settings.limits, knob.name))
    if st.session_state.get(key) != value:
        st.session_state[key] = value
    unit = " (%)" if knob.kind == "percent" else ""
    with st.container(gap=None):
        st.number_input(
            f"{t(f'limit.{knob.name}')}{unit}",
            min_value=knob.least,
            max_value=knob.most,
            step=knob.step,
            format=knob.format,
            key=key,
            disabled=user.read_only,
            on_change=_set_limit,
            args=(knob, key, chosen.settings_version),
        )
        st.caption(t(f"traded.{knob.name}"))


def _set_limit(knob: Knob, key: str, version: int) -> None:
    user, shown = require_user(), st.session_state.get(key)
    chosen = system().readings.settings(user.user_id)
    if chosen is None or shown is None:
        return
    limits = replace(chosen.settings.limits, **{knob.name: knob.stored(shown)})  # type: ignore[arg-type]
    tell(system().trading.change_settings(user, replace(chosen.settings, limits=limits), version), t("strat.next"))
