"""
A person's strategies: what runs, every version with what it would change, templates to copy, and what is shared.

What is edited at a touch is what runs: the cadence and the words about how to trade here, risk and instructions in the
cards below; each change is a version. Any other strategy is written anew beside it (app.panels.rewriting); a version
or a copy runs when its button is pressed, from the next decision on.
"""

from dataclasses import replace

import streamlit as st

from app.i18n import clock_time, language, md, t, zone
from app.panels.away import patient
from app.panels.choices import still
from app.panels.editor import APPROACH, editor
from app.panels.inputs import inputs
from app.panels.memory import memory_test
from app.panels.models import models
from app.panels.records import records
from app.panels.rewrites import rewrites
from app.panels.rewriting import begin, rewriting
from app.panels.shadows import shadows
from app.panels.shared import QUERY, shared, take
from app.panels.step_up import is_wanted
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from app.ui import live
from app.ui.cockpit import seen_settings
from app.ui.diff import diff_html
from app.ui.strategy_lines import strategy_lines, strategy_name
from lib.accounts.web import SessionUser
from lib.domain.account import CADENCES
from lib.domain.strategy import LONGEST_NAME, Strategy, StrategyVersion, blindfolded, strategy_of
from lib.domain.strategy_templates import TEMPLATES, Template
from lib.queries import Choices, StrategyLine

_NAMES = "_strategy_names"
TALL = 190
CARD = 240
"""Pixels: all five templates in a row on a desk's screen, one on a phone."""


@st.fragment
@patient
def strategies() -> None:
    """Draw the card."""
    if is_wanted():
        st.rerun(scope="app")
    user = require_user()
    chosen = system().readings.settings(user.user_id)
    if chosen is None:
        return
    live.follow("settings", seen_settings(chosen, system().readings.command(user.user_id)), where="_strategies")
    running = system().readings.running_strategy(user.user_id)
    with st.container(border=True, key="strategies"):
        left, right = st.columns(2, gap="medium")
        with left:
            _headline(running, chosen)
        with right:
            _cadence(user, chosen)
        mine, words, sights, asked, beside, templates, links, proofs = st.tabs(
            [
                t("strat.mine"),
                t("strat.words"),
                t("input.tab"),
                t("model.tab"),
                t("shadow.tab"),
                t("strat.templates"),
                t("strat.share"),
                t("record.tab"),
            ],
            key="strategy_tabs",
            default=t("strat.share") if QUERY in st.query_params else None,
        )
        with mine:
            _mine(user, chosen, running)
        with words:
            _words(user, chosen)
        with sights:
            inputs(user, chosen)
        with asked:
            models(user, chosen)
        with beside:
            shadows(user)
        with templates:
            _templates(user)
        with links:
            shared(user, running)
        with proofs:
            records(user)


def _headline(running: StrategyVersion | None, chosen: Choices) -> None:
    name = t("strat.design") if running is None else f"{strategy_name(running.name, t)} · #{running.number}"
    st.subheader(md("strat.runs", name=name), anchor=False)
    digest = strategy_of(chosen.settings).sha256
    st.caption(md("strat.fingerprint", sha=digest[:12]))


def _cadence(user: SessionUser, chosen: Choices) -> None:
    if st.session_state.get("cadence") != chosen.settings.cadence_min:
        st.session_state["cadence"] = chosen.settings.cadence_min
    st.segmented_control(
        t("strat.cadence"),
        list(CADENCES),
        format_func=lambda one: t("strat.minutes", n=one),
        key=still("cadence"),
        required=True,
        disabled=user.read_only,
        on_change=_set_cadence,
        args=(chosen.settings_version,),
    )
    st.caption(t("strat.cadence_note"))


def _set_cadence(version: int) -> None:
    user, wanted = require_user(), st.session_state.get("cadence")
    chosen = system().readings.settings(user.user_id)
    if chosen is not None and wanted in CADENCES:
        after = replace(chosen.settings, cadence_min=wanted)
        tell(system().trading.change_settings(user, after, version), t("strat.next"))


def _mine(user: SessionUser, chosen: Choices, running: StrategyVersion | None) -> None:
    kept = system().readings.strategies(user.user_id)
    if not kept:
        st.caption(t("strat.none"))
        memory_test(user, 0, strategy_of(chosen.settings).model)
        return
    by_id = {one.strategy_id: one for one in kept}
    if st.session_state.get("strategy") not in by_id:
        st.session_state["strategy"] = next((one.strategy_id for one in kept if one.runs), kept[-1].strategy_id)
    _keep_chosen([_named(one) for one in kept])
    left, right = st.columns(2, gap="small")
    strategy_id = left.selectbox(
        t("strat.strategy"),
        list(by_id),
        format_func=lambda one: _named(by_id[one]),
        key=still("strategy"),
        filter_mode=None,
    )
    versions = {one.version_id: one for one in system().readings.strategy_versions(user.user_id, strategy_id)}
    version_id = right.selectbox(
        t("strategy.version"),
        list(versions),
        format_func=lambda one: _dated(versions[one]),
        key=still(f"strategy_version_{strategy_id}"),
        filter_mode=None,
    )
    if (found := versions.get(version_id or 0)) is not None:
        newest = max(one.number for one in versions.values())
        is_running = running is not None and running.version_id == found.version_id
        _version(user, chosen, found, newest, is_running=is_running)
        rewriting(user, chosen, strategy_id, newest)


def _keep_chosen(names: list[str]) -> None:
    """The choice outlives a name that changed: a browser knows what it chose by its label of before."""
    if st.session_state.get(_NAMES) != names:
        st.session_state[_NAMES] = names
        st.session_state["strategy"] = st.session_state["strategy"]


def _named(line: StrategyLine) -> str:
    name = strategy_name(line.name, t)
    return t("strat.is_running", name=name) if line.runs else name


def _dated(version: StrategyVersion) -> str:
    at = f"{clock_time(version.made_ms)[:16]} {zone().label}" if version.made_ms else t("strategy.before")
    return f"#{version.number} · {at}"


def _version(user: SessionUser, chosen: Choices, found: StrategyVersion, newest: int, *, is_running: bool) -> None:
    now, then = strategy_of(chosen.settings), found.content
    st.caption(t("strat.stands") if is_running else t("strat.compared"))
    st.html(diff_html(strategy_lines(now, t), strategy_lines(then, t), lambda kind: t(f"strategy.{kind}")))
    with st.container(horizontal=True, gap="small"):
        st.button(
            t("strat.run"),
            key="strategy_run",
            type="primary",
            disabled=user.read_only or is_running,
            on_click=_run,
            args=(found.version_id, chosen.settings_version),
        )
        name = t("strat.copy_of", name=strategy_name(found.name, t))[:LONGEST_NAME]
        st.button(t("strat.copy"), key="strategy_copy", disabled=user.read_only, on_click=take, args=(name, then))
        st.button(
            t("rewrite.begin"),
            key="strategy_rewrite",
            disabled=user.read_only or found.strategy_id in rewrites(),
            on_click=begin,
            args=(found, newest),
        )
        with st.popover(t("strat.manage"), key=f"manage_{found.strategy_id}", disabled=user.read_only):
            _manage(found)
    memory_test(user, found.version_id, then.model)


def _manage(found: StrategyVersion) -> None:
    key = f"strategy_name_{found.strategy_id}"
    user, which = require_user(), (found.strategy_id,)
    name = strategy_name(found.name, t)
    st.text_input(t("strat.name"), name, key=key, max_chars=LONGEST_NAME, disabled=user.read_only)
    st.button(t("strat.rename"), key="strategy_rename", disabled=user.read_only, on_click=_rename, args=which)
    st.caption(t("strat.delete_note"))
    st.button(t("strat.delete"), key="strategy_delete", disabled=user.read_only, on_click=_delete, args=which)


def _rename(strategy_id: int) -> None:
    name = str(st.session_state.get(f"strategy_name_{strategy_id}") or "")
    tell(system().strategies.rename(require_user(), strategy_id, name), t("strat.renamed"))


def _delete(strategy_id: int) -> None:
    tell(system().strategies.delete(require_user(), strategy_id), t("strat.deleted"))


def _run(version_id: int, version: int) -> None:
    tell(system().strategies.run(require_user(), version_id, version), t("strat.next"))


def _words(user: SessionUser, chosen: Choices) -> None:
    st.caption(t("strat.words_note"))
    editor(user, chosen, APPROACH, TALL)


def _templates(user: SessionUser) -> None:
    st.caption(t("control.prompt_guest" if user.is_guest else "strat.templates_note"))
    is_blind = st.toggle(
        t("input.blindfold"),
        key="templates_blind",
        help=t("input.blindfold_note"),
        disabled=user.read_only or user.is_guest,
    )
    with st.grid(columns="auto", min_column_width=CARD, gap="small"):
        for one in TEMPLATES:
            box = st.container(
                border=True, height="stretch", vertical_alignment="distribute", key=f"template_{one.name}"
            )
            with box:
                _template(user, one, is_blind=is_blind)


def _template(user: SessionUser, one: Template, *, is_blind: bool) -> None:
    content, name = one.in_language(language()), t(f"strat.template_{one.name}")
    if is_blind:
        content, name = blindfolded(content), t("input.blindfolded", name=name)
    with st.container(gap="xsmall"):
        st.markdown(f"**{md(f'strat.template_{one.name}')}**")
        st.caption(t(f"strat.about_{one.name}"))
        st.caption(_in_short(content))
    cannot = user.read_only or (
        user.is_guest and (bool(content.system or content.inputs) or content.answer_version != 1)
    )
    with st.container(horizontal=True, gap="small"):
        key = f"take_{one.name}"
        st.button(t("strat.take"), key=key, disabled=cannot, width="stretch", on_click=take, args=(name, content))
        with st.popover(t("strat.read"), key=f"read_{one.name}"):
            st.code(strategy_lines(content, t), language=None, wrap_lines=True)


def _in_short(content: Strategy) -> str:
    every = md("strat.minutes", n=content.cadence_min)
    level = md("strat.at_level", level=t(f"risk.{content.risk_level.value}"))
    return f"{every} · {level} · {t('strat.long_only' if content.long_only else 'strat.both')}"
