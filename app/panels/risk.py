"""
Risk in the money of this account, and the person's own limits, only ever stricter than the defaults.

Nothing is saved before its button is pressed; what is touched and not saved is kept (app.panels.edits). What another
tab changed meanwhile is said, with what stands now, before anything is written over it.
"""

from dataclasses import replace
from decimal import Decimal

import streamlit as st

from app.i18n import md, t
from app.panels.away import patient
from app.panels.choices import still
from app.panels.edits import Edits, edits, remember_edits, show_edit, value_of
from app.panels.exits import exits
from app.panels.step_up import is_wanted
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from app.ui import live
from app.ui.cockpit import seen_settings
from app.ui.exit_words import exits_in_short
from app.ui.knobs import CONFIDENCE, LEVERAGE, LIMITS, RISK, Knob, worth, written
from app.ui.strategy_lines import least_from
from app.ui.write import count, money, percent
from lib.accounts.settings_rules import loosens
from lib.accounts.web import SessionUser
from lib.domain.account import RISK_PROFILES, AccountSettings, Limits, RiskLevel
from lib.domain.strategy import OFFERED_ANSWERS
from lib.queries import Choices, Tiles

KNOBS = {knob.name: knob for knob in (RISK, CONFIDENCE, LEVERAGE, *LIMITS)}
USUAL = Limits()
SAVED = "_risk_saved"
COLUMN, WIDE_COLUMN = 155, 165
"""Pixels: two beside each other on a phone, or one; three in half a page."""


@st.fragment
@patient
def risk() -> None:
    """Draw both cards and the row that saves them."""
    if is_wanted() or st.session_state.pop(SAVED, False):
        st.rerun(scope="app")  # the preview beside it is of what was saved
    user = require_user()
    chosen, tiles = system().readings.settings(user.user_id), system().readings.tiles(user.user_id)
    if chosen is None or tiles is None:
        return
    live.follow("settings", seen_settings(chosen, system().readings.command(user.user_id)))
    held = edits()
    meant = held.over(chosen.settings)
    with st.container(border=True, key="risk"):
        st.subheader(t("strategy.risk"), anchor=False)
        _level(user, meant)
        _numbers(meant, tiles)
        _choices(user, meant)
    exits(user, meant)
    with st.container(border=True, key="limits"):
        st.subheader(t("settings.limits"), anchor=False)
        st.caption(t("strategy.limits_note"))
        _limits(user, meant, tiles)
    _save_row(user, chosen, held)


def _level(user: SessionUser, meant: AccountSettings) -> None:
    show_edit("risk_level", meant.risk_level)
    st.segmented_control(
        t("control.risk_level"),
        list(RiskLevel),
        format_func=lambda one: t(f"risk.{one.value}"),
        key=still("edit_risk_level"),
        label_visibility="collapsed",
        required=True,
        width="stretch",
        disabled=user.read_only,
        on_change=_touched,
        args=("risk_level",),
    )


def _numbers(meant: AccountSettings, tiles: Tiles) -> None:
    profile = meant.profile
    cells = (
        ("loss", f"{money(tiles.equity * profile.risk_per_trade)} USDT", written(RISK, profile.risk_per_trade)),
        ("leverage", f"{profile.leverage_cap}×", count(100 * profile.leverage_cap)),
        ("confidence", percent(profile.min_confidence, places=0), least_from(meant, t)),
    )
    with st.grid(columns="auto", min_column_width=WIDE_COLUMN, gap="small"):
        for name, value, more in cells:
            with st.container(border=True, gap=None, height="stretch", key=f"number_{name}"):
                st.metric(t(f"strategy.{name}"), value)
                st.caption(md(f"strategy.{name}_note", more=more))


def _choices(user: SessionUser, meant: AccountSettings) -> None:
    level = RISK_PROFILES[meant.risk_level]
    with st.grid(columns="auto", min_column_width=COLUMN, gap="small"):
        with st.container(gap=None):
            _number(user, LEVERAGE, meant, t("control.max_leverage"))
            capped = meant.max_leverage > level.leverage_cap
            st.caption(md("control.capped", leverage=level.leverage_cap) if capped else md("strategy.leverage_least"))
        with st.container(gap=None):
            _number(user, RISK, meant, t("strategy.own_risk"), usual=level.risk_per_trade)
            st.caption(md("strategy.at_most", value=written(RISK, level.risk_per_trade)))
        with st.container(gap=None):
            _number(user, CONFIDENCE, meant, t("strategy.own_confidence"), usual=level.min_confidence)
            st.caption(md("strategy.at_least", value=percent(level.min_confidence, places=0)))
    show_edit("long_only", meant.long_only)
    st.toggle(
        t("strategy.long_only"), key="edit_long_only", disabled=user.read_only, on_change=_touched, args=("long_only",)
    )
    if not user.is_guest:  # guests share one call, which is asked for the usual answer
        _answers(user, meant)


def _answers(user: SessionUser, meant: AccountSettings) -> None:
    show_edit("answer_version", meant.answer_version)
    st.selectbox(
        t("strategy.answers"),
        OFFERED_ANSWERS,
        format_func=lambda one: t(f"strat.answers_{one}"),
        key=still("edit_answer_version"),
        filter_mode=None,
        disabled=user.read_only,
        on_change=_touched,
        args=("answer_version",),
    )
    st.caption(md("strategy.answers_note"))


def _number(user: SessionUser, knob: Knob, meant: AccountSettings, label: str, *, usual: Decimal | None = None) -> None:
    """The field of *knob*; empty is the level's own, where *usual* says what that is."""
    value = value_of(meant, knob.name)
    show_edit(knob.name, None if value is None else knob.shown(value))
    st.number_input(
        label,
        min_value=knob.least,
        max_value=knob.most,
        step=knob.step,
        value=None if usual is not None else "min",
        placeholder="" if usual is None else written(knob, usual),
        format=knob.format,
        key=f"edit_{knob.name}",
        disabled=user.read_only,
        on_change=_touched,
        args=(knob.name,),
    )


def _limits(user: SessionUser, meant: AccountSettings, tiles: Tiles) -> None:
    with st.grid(columns="auto", min_column_width=COLUMN, gap="small"):
        for knob in LIMITS:
            with st.container(gap=None):
                unit = {"percent": " (%)", "times": " (×)", "minutes": f" ({t('strategy.minutes')})"}.get(knob.kind, "")
                name = "cooldown" if knob.name == "cooldown_ms" else knob.name
                _number(user, knob, meant, f"{t(f'limit.{name}')}{unit}")
                st.caption(_limit_means(knob, meant, tiles))


def _limit_means(knob: Knob, meant: AccountSettings, tiles: Tiles) -> str:
    usual = written(knob, getattr(USUAL, knob.name))
    usual = t("age.minutes", n=usual) if knob.kind == "minutes" else usual
    said = md("strategy.usual", value=usual)
    worth_now = worth(knob.name, value_of(meant, knob.name), tiles.equity, tiles.balance)
    return f"{said} · **{md('strategy.worth', value=worth_now)}**" if worth_now else said


def _touched(name: str) -> None:
    """The person changed a field."""
    chosen = system().readings.settings(require_user().user_id)
    if chosen is None:
        return
    value, held = st.session_state[f"edit_{name}"], edits()
    if name in KNOBS and value is not None:
        value = KNOBS[name].stored(value)
    held.put(name, value, chosen.settings)
    if name == "risk_level":
        _fit_to_level(held, chosen.settings, value)
    remember_edits(held)


def _fit_to_level(held: Edits, settings: AccountSettings, level: RiskLevel) -> None:
    """A choice of one's own that is looser than the new *level* would be refused: the level's own takes its place."""
    meant, profile = held.over(settings), RISK_PROFILES[level]
    if meant.risk_per_trade is not None and meant.risk_per_trade > profile.risk_per_trade:
        held.put("risk_per_trade", None, settings)
    if meant.min_confidence is not None and meant.min_confidence < profile.min_confidence:
        held.put("min_confidence", None, settings)


def _save_row(user: SessionUser, chosen: Choices, held: Edits) -> None:
    if moved := held.moved(chosen.settings):
        held.unheard(chosen.settings)
        now = ", ".join(f"{_name(one)} {_value(one, chosen.settings)}" for one in moved)
        st.warning(md("strategy.moved", now=now), icon=":material/sync_problem:")
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="risk_row"):
        nothing = user.read_only or not held.values
        st.button(t("strategy.save"), key="risk_save", type="primary", disabled=nothing, on_click=_save)
        st.button(t("control.discard"), key="risk_discard", disabled=nothing, on_click=_discard)
        st.caption(_unsaved(chosen.settings, held))


def _unsaved(settings: AccountSettings, held: Edits) -> str:
    if not held.values:
        return md("strategy.applies")
    names = md("strategy.unsaved", names=", ".join(_name(one) for one in held.values))
    return f"{names} {md('strategy.loosens')}" if loosens(settings, held.over(settings)) else names


def _name(name: str) -> str:
    return t(f"field.{name}") if name in ("risk_level", "max_leverage", "long_only", *_OWN) else t(_limit(name))


_OWN = ("risk_per_trade", "min_confidence", "answer_version", "exits")


def _limit(name: str) -> str:
    return "limit.cooldown" if name == "cooldown_ms" else f"limit.{name}"


def _value(name: str, settings: AccountSettings) -> str:
    value = value_of(settings, name)
    if name == "exits":
        return exits_in_short(value, t)
    if name == "answer_version":
        return t(f"strat.answers_{value}")
    if name in KNOBS:
        return "–" if value is None else written(KNOBS[name], value)
    return t(f"risk.{value.value}") if name == "risk_level" else t(f"field.{str(value).lower()}")


def _discard() -> None:
    held = edits()
    held.values, held.base, held.told = {}, {}, {}
    remember_edits(held)


def _save() -> None:
    """Save what was touched and nothing else, unless somebody changed it meanwhile and that was not told yet."""
    user, held = require_user(), edits()
    chosen = system().readings.settings(user.user_id)
    if chosen is None:
        return
    if held.unheard(chosen.settings):
        st.toast(t("refuse.settings.stale"), icon=":material/block:", duration="long")
        return
    wanted = replace(held.over(chosen.settings), custom_prompt=chosen.settings.custom_prompt)
    if tell(system().trading.change_settings(user, wanted, chosen.settings_version), t("control.saved")):
        _discard()
        st.session_state[SAVED] = True
