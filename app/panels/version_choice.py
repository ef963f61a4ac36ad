"""Which of a person's versions something is about: what trades now, or a version of a strategy of theirs."""

import streamlit as st

from app.i18n import t
from app.panels.choices import still
from app.system import system
from app.ui.strategy_lines import strategy_name
from lib.accounts.web import SessionUser


def version_choice(user: SessionUser, place: str, *, off: bool) -> int:
    """Draw the select boxes of *place*; the version's number, 0 = what trades now."""
    kept = {one.strategy_id: strategy_name(one.name, t) for one in system().readings.strategies(user.user_id)}
    names = {0: t("shadow.now")} | kept
    strategy_id = st.selectbox(
        t("strat.strategy"), list(names), format_func=names.__getitem__, key=still(f"{place}_strategy"),
        filter_mode=None, disabled=off,
    )  # fmt: skip
    if not strategy_id:
        return 0
    numbers = {one.version_id: one.number for one in system().readings.strategy_versions(user.user_id, strategy_id)}
    chosen = st.selectbox(
        t("strategy.version"), list(numbers), format_func=lambda one: f"#{numbers[one]}",
        key=still(f"{place}_version_{strategy_id}"), filter_mode=None, disabled=off,
    )  # fmt: skip
    return chosen or 0


def version_chosen(place: str) -> int:
    """What stands in the select boxes of *place* when a button is pressed."""
    state = st.session_state
    return int(state.get(f"{place}_version_{state.get(f'{place}_strategy') or 0}") or 0)
