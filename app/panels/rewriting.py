"""
One strategy written anew beside what runs: every choice of a version, what changed, what would be sent to the analyst,
and the button that keeps it as the next version. Nothing runs by it before somebody runs that version.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import streamlit as st

from app.i18n import md, t
from app.panels.choices import still
from app.panels.exits import say_no_trail
from app.panels.preview import preview
from app.panels.rewrites import Rewrite, mean, put, rewrites
from app.panels.symbols import chosen_symbol
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from app.ui.diff import diff_html
from app.ui.exit_words import exit_sentences
from app.ui.knobs import CONFIDENCE, LEVERAGE, RISK, Knob, written
from app.ui.models import model_label
from app.ui.small import keep_typing
from app.ui.strategy_lines import input_name, strategy_lines
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.account import CADENCES, MAX_CUSTOM_PROMPT, MAX_SYSTEM, RISK_PROFILES, RiskLevel
from lib.domain.decimals import plain
from lib.domain.exit_rules import LEAST_MIN, LEAST_R, MOST_MIN, MOST_R, STEP_R, ExitRules
from lib.domain.input_blocks import BY_NAME, in_order
from lib.domain.model_profile import DEFAULT_CHAIN, MOST_IN_CHAIN
from lib.domain.strategy import BLOCKS, OFFERED_ANSWERS, Strategy, StrategyVersion
from lib.queries import Choices

COLUMN = 155
"""Pixels: two numbers beside each other on a phone, three in half a page."""
TALL = 150
_STEP = float(STEP_R)


def begin(found: StrategyVersion, newest: int) -> None:
    """Begin with what *found* says, *newest* being the strategy's newest number."""
    put(found.strategy_id, Rewrite(found, newest, found.content, system().clock.now_ms()))


def rewriting(user: SessionUser, chosen: Choices, strategy_id: int, newest: int) -> None:
    """Draw what is being written of the strategy whose newest version is *newest*; nothing where nothing is."""
    held = rewrites().get(strategy_id)
    if held is None:
        return
    with st.container(border=True, key="rewriting"):
        st.markdown(f"**{md('rewrite.title', n=held.base.number)}**")
        st.caption(md("rewrite.note"))
        if newest != held.newest:
            st.warning(md("rewrite.moved", n=newest, next=newest + 1), icon=":material/sync_problem:")
        left, right = st.columns(2, gap="medium")
        with left:
            _numbers(user, held)
        with right:
            _words(user, held)
        _row(user, held, newest)
        _outcome(user, chosen, held)


def _key(held: Rewrite, name: str) -> str:
    return f"rewrite_{name}_{held.base.strategy_id}"


def _show(held: Rewrite, name: str, value: object) -> str:
    """The key of the widget *name*, which shows *value*."""
    key = _key(held, name)
    if st.session_state.get(key) != value:
        st.session_state[key] = value
    return key


def _numbers(user: SessionUser, held: Rewrite) -> None:
    meant, off = held.meant, user.read_only
    _segments(held, "cadence_min", t("strat.cadence"), CADENCES, lambda one: t("strat.minutes", n=one), off=off)
    level_words: Callable[[Any], str] = lambda one: t(f"risk.{one.value}")  # noqa: E731
    _segments(held, "risk_level", t("control.risk_level"), tuple(RiskLevel), level_words, off=off)
    level = RISK_PROFILES[meant.risk_level]
    with st.grid(columns="auto", min_column_width=COLUMN, gap="small"):
        _number(held, LEVERAGE, t("control.max_leverage"), None, off=off)
        _number(held, RISK, t("strategy.own_risk"), level.risk_per_trade, off=off)
        _number(held, CONFIDENCE, t("strategy.own_confidence"), level.min_confidence, off=off)
    key = _show(held, "long_only", meant.long_only)
    st.toggle(t("strategy.long_only"), key=key, disabled=off, on_change=_touched, args=(held, "long_only"))
    _rules(held, off=off)


def _segments(
    held: Rewrite, name: str, label: str, options: tuple[Any, ...], words: Callable[[Any], str], *, off: bool
) -> None:
    key = _show(held, name, getattr(held.meant, name))
    st.segmented_control(
        label, list(options), format_func=words, key=still(key), required=True, disabled=off,
        on_change=_touched, args=(held, name),
    )  # fmt: skip


def _number(held: Rewrite, knob: Knob, label: str, usual: Decimal | None, *, off: bool) -> None:
    """The field of *knob*; empty is the level's own, where *usual* says what that is."""
    value = getattr(held.meant, knob.name)
    st.number_input(
        label,
        min_value=knob.least,
        max_value=knob.most,
        step=knob.step,
        value=None if usual is not None else "min",
        placeholder="" if usual is None else written(knob, usual),
        format=knob.format,
        key=_show(held, knob.name, None if value is None else knob.shown(value)),
        disabled=off,
        on_change=_touched_number,
        args=(held, knob),
    )


def _rules(held: Rewrite, *, off: bool) -> None:
    rules = held.meant.rules
    st.caption(f"**{md('exit.title')}**")
    fields = (
        ("even_r", "exit.even", "exit.even_r", rules.break_even_r),
        ("trail_r", "exit.trail", "exit.trail_r", rules.trail_r),
        ("trail_from", "exit.trail", "exit.trail_from", rules.trail_from_r if rules.trail_r else None),
    )
    with st.grid(columns="auto", min_column_width=COLUMN, gap="small"):
        key = _show(held, "time_min", rules.time_stop_min or None)
        label = f"{t('exit.time')} · {t('exit.time_min')}"
        st.number_input(
            label, LEAST_MIN, MOST_MIN, None, 5, key=key, placeholder=t("rewrite.off"), disabled=off,
            on_change=_touched_rules, args=(held,),
        )  # fmt: skip
        for name, rule, label_key, value in fields:
            begins = name == "trail_from"
            shown = float(value) if value is not None and (value or begins) else None
            st.number_input(
                f"{t(rule)} · {t(label_key)}", 0.0 if begins else float(LEAST_R), float(MOST_R), None, _STEP,
                format="%.2f", key=_show(held, name, shown), placeholder=t("rewrite.off"),
                disabled=off or (begins and not rules.trail_r), on_change=_touched_rules, args=(held,),
            )  # fmt: skip
    on = (rules.break_even_r, rules.time_stop_min, rules.trail_r)
    for is_on, sentence in zip(on, exit_sentences(rules, md), strict=True):
        if is_on:
            st.caption(sentence)
    say_no_trail(held.meant.rules)


def _words(user: SessionUser, held: Rewrite) -> None:
    shut = user.read_only or user.is_guest  # all guests share one call
    for name, label, most in (
        ("system", t("strat.system"), MAX_SYSTEM),
        ("instructions", t("control.prompt"), MAX_CUSTOM_PROMPT),
    ):
        key = _show(held, name, getattr(held.meant, name))
        hint = "control.prompt_guest" if user.is_guest else "strat.design_words"
        st.text_area(
            label, key=key, height=TALL, max_chars=most, disabled=shut, on_change=_touched, args=(held, name),
            placeholder=t(hint) if name == "system" or user.is_guest else t("control.prompt_hint"),
        )  # fmt: skip
        if not shut:
            keep_typing(key, user.user_id, held.begun_ms)
    _lists(user, held, shut=shut)


def _lists(user: SessionUser, held: Rewrite, *, shut: bool) -> None:
    st.multiselect(
        t("input.tab"), list(BY_NAME), format_func=lambda one: input_name(BY_NAME[one], t), disabled=shut,
        key=still(_show(held, "inputs", [one.name for one in held.meant.inputs])), on_change=_touched_inputs,
        args=(held,), placeholder=t("input.none"),
    )  # fmt: skip
    found = {one.profile.name: one for one in system().models.choices(user.user_id, is_guest=user.is_guest)}
    gone = [one for one in held.meant.chain if one not in found]
    st.multiselect(
        t("model.order"), [*found, *gone], max_selections=MOST_IN_CHAIN, disabled=shut,
        format_func=lambda one: model_label(found[one].profile) if one in found else t("model.gone", name=one),
        key=still(_show(held, "models", list(held.meant.chain))), on_change=_touched_models, args=(held,),
    )  # fmt: skip
    if not shut:
        st.selectbox(
            t("strategy.answers"), OFFERED_ANSWERS, format_func=lambda one: t(f"strat.answers_{one}"),
            key=still(_show(held, "answer_version", held.meant.answer_version)), filter_mode=None,
            on_change=_touched, args=(held, "answer_version"),
        )  # fmt: skip


def _touched(held: Rewrite, name: str) -> None:
    value = st.session_state.get(_key(held, name))
    if value is not None:
        mean(held.base.strategy_id, **{name: value}, **(_fitting(held.meant, value) if name == "risk_level" else {}))


def _fitting(meant: Strategy, level: RiskLevel) -> dict[str, object]:
    """A choice of one's own that is looser than the new *level* would be refused: the level's own takes its place."""
    profile, risk, least = RISK_PROFILES[level], meant.risk_per_trade, meant.min_confidence
    return {
        "risk_per_trade": None if risk is not None and risk > profile.risk_per_trade else risk,
        "min_confidence": None if least is not None and least < profile.min_confidence else least,
    }


def _touched_number(held: Rewrite, knob: Knob) -> None:
    value = st.session_state.get(_key(held, knob.name))
    mean(held.base.strategy_id, **{knob.name: None if value is None else knob.stored(value)})


def _touched_inputs(held: Rewrite) -> None:
    chosen = st.session_state.get(_key(held, "inputs")) or ()
    mean(held.base.strategy_id, blocks=(*BLOCKS, *in_order(chosen)))


def _touched_models(held: Rewrite) -> None:
    first, *others = tuple(st.session_state.get(_key(held, "models")) or DEFAULT_CHAIN)
    mean(held.base.strategy_id, model=first, fallback=tuple(others))


def _touched_rules(held: Rewrite) -> None:
    trail = _chosen_r(held, "trail_r")
    rules = ExitRules(
        _chosen_r(held, "even_r"),
        int(st.session_state.get(_key(held, "time_min")) or 0),
        trail,
        _chosen_r(held, "trail_from") if trail else Decimal(0),
    )
    mean(held.base.strategy_id, rules=rules)


def _chosen_r(held: Rewrite, name: str) -> Decimal:
    """The field's number on its step; an empty one is off."""
    shown = st.session_state.get(_key(held, name))
    return Decimal(0) if shown is None else plain(round(Decimal(str(shown)) / STEP_R) * STEP_R)


def _row(user: SessionUser, held: Rewrite, newest: int) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="rewrite_row"):
        st.button(
            t("rewrite.save"), key="rewrite_save", type="primary", disabled=user.read_only or not held.is_changed,
            on_click=_save, args=(held, newest),
        )  # fmt: skip
        st.button(t("rewrite.end"), key="rewrite_end", on_click=put, args=(held.base.strategy_id, None))
        st.caption(t("control.unsaved") if held.is_changed else t("rewrite.unchanged"))


def _save(held: Rewrite, newest: int) -> None:
    """Keep what is meant as the version behind *newest*, which is the one the person was shown."""
    strategy_id = held.base.strategy_id
    now = rewrites().get(strategy_id, held)
    content = _trimmed(now.meant)
    made = system().strategies.save(require_user(), strategy_id, content, newest)
    if isinstance(made, Refusal):
        tell(made, "")
        return
    tell(None, t("rewrite.saved"))
    put(strategy_id, None)
    st.session_state[f"strategy_version_{strategy_id}"] = made.version_id


def _trimmed(meant: Strategy) -> Strategy:
    return replace(meant, system=meant.system.strip(), instructions=meant.instructions.strip())


def _outcome(user: SessionUser, chosen: Choices, held: Rewrite) -> None:
    """What changed, and what would be sent."""
    meant = _trimmed(held.meant)
    if held.is_changed:
        st.caption(md("rewrite.diff", n=held.base.number))
        before, after = strategy_lines(held.base.content, t), strategy_lines(meant, t)
        st.html(diff_html(before, after, lambda kind: t(f"strategy.{kind}")))
    seen = system().previews.of(user.user_id, meant, chosen_symbol(user))
    if seen is not None:
        with st.expander(t("strategy.preview"), key="rewrite_preview"):
            preview(seen, chosen.settings.limits, [t("rewrite.preview")])
