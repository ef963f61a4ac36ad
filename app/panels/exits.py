"""
The exits a strategy follows by rule: break-even, time stop, trailing, each with a switch, its numbers and one sentence.

What is touched is kept with the other unsaved choices of the page and saved by their button.
"""

from decimal import Decimal

import streamlit as st

from app.i18n import md, t
from app.panels.edits import edits, remember_edits, show_edit
from app.session import require_user
from app.system import system
from app.ui.exit_words import exit_sentences
from lib.accounts.web import SessionUser
from lib.domain.account import AccountSettings
from lib.domain.decimals import plain
from lib.domain.exit_rules import LEAST_MIN, LEAST_R, MOST_MIN, MOST_R, STEP_R, ExitRules
from lib.domain.venues import CAPABILITIES

USUAL = ExitRules(Decimal(1), 240, Decimal("1.5"), Decimal(1))
"""What a rule begins with when it is switched on."""
COLUMN = 190
"""Pixels: three beside each other in half a page, one on a phone."""
STEP = float(STEP_R)


def exits(user: SessionUser, meant: AccountSettings) -> None:
    """Draw the card of *meant*'s rules."""
    rules, off = meant.exits, user.read_only
    even, over, trail = exit_sentences(rules, md)
    with st.container(border=True, key="exits"):
        st.subheader(t("exit.title"), anchor=False)
        st.caption(md("exit.note"))
        with st.grid(columns="auto", min_column_width=COLUMN, gap="small"):
            with _rule("even", even, is_on=bool(rules.break_even_r), off=off):
                is_on = bool(rules.break_even_r), off
                _r("even_r", t("exit.even_r"), rules.break_even_r or USUAL.break_even_r, is_on)
            with _rule("time", over, is_on=bool(rules.time_stop_min), off=off):
                _minutes(rules, off=off)
            with _rule("trail", trail, is_on=bool(rules.trail_r), off=off):
                is_on = bool(rules.trail_r), off
                _r("trail_r", t("exit.trail_r"), rules.trail_r or USUAL.trail_r, is_on)
                begins = rules.trail_from_r if rules.trail_r else USUAL.trail_from_r
                _r("trail_from", t("exit.trail_from"), begins, is_on, least=0.0)
                say_no_trail(rules)


def say_no_trail(rules: ExitRules) -> None:
    """That *rules* trail where the person's venue cannot; nothing where it can, and for who has no account."""
    found = system().readings.standing(require_user().user_id) if rules.trail_r else None
    if found is not None and any(one == found.venue and not row.has_trailing_stop for one, row in CAPABILITIES.items()):
        st.caption(f":orange[{md('exit.no_trail')}]")


def _rule(name: str, sentence: str, *, is_on: bool, off: bool) -> "st.delta_generator.DeltaGenerator":
    """A box with the rule's switch and what it does; its numbers go into it."""
    box = st.container(border=True, height="stretch", key=f"exit_{name}", gap="small")
    with box:
        show_edit(f"exit_{name}", is_on)
        st.toggle(t(f"exit.{name}"), key=f"edit_exit_{name}", disabled=off, on_change=_touched, args=(name,))
        st.caption(sentence)
    return box


def _r(name: str, label: str, value: Decimal, shown: tuple[bool, bool], *, least: float = float(LEAST_R)) -> None:
    is_on, off = shown
    if is_on:
        show_edit(f"exit_{name}", float(value))
        key = f"edit_exit_{name}"
        st.number_input(
            label, least, float(MOST_R), step=STEP, format="%.2f", key=key, disabled=off, on_change=_touched
        )


def _minutes(rules: ExitRules, *, off: bool) -> None:
    if rules.time_stop_min:
        show_edit("exit_time_min", rules.time_stop_min)
        key = "edit_exit_time_min"
        st.number_input(t("exit.time_min"), LEAST_MIN, MOST_MIN, step=5, key=key, disabled=off, on_change=_touched)


def _touched(switched: str = "") -> None:
    """The person changed a number, or *switched* a rule."""
    chosen, held = system().readings.settings(require_user().user_id), edits()
    if chosen is None:
        return
    now, state = held.over(chosen.settings).exits, st.session_state
    on = {name: bool(state.get(f"edit_exit_{name}")) for name in ("even", "time", "trail")}
    rules = ExitRules(
        _chosen_r("even_r", now.break_even_r or USUAL.break_even_r) if on["even"] else Decimal(0),
        int(state.get("edit_exit_time_min") or now.time_stop_min or USUAL.time_stop_min) if on["time"] else 0,
        _chosen_r("trail_r", now.trail_r or USUAL.trail_r) if on["trail"] else Decimal(0),
        _chosen_r("trail_from", now.trail_from_r if now.trail_r else USUAL.trail_from_r) if on["trail"] else Decimal(0),
    )
    held.put("exits", rules, chosen.settings)
    remember_edits(held)


def _chosen_r(name: str, otherwise: Decimal) -> Decimal:
    """The field's number on its step; a field that was not there has none."""
    shown = st.session_state.get(f"edit_exit_{name}")
    return otherwise if shown is None else plain(round(Decimal(str(shown)) / STEP_R) * STEP_R)
