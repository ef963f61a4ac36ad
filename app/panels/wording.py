"""
A person's own instructions: the editor, every version with what it changed and the way back to it, and exactly what is
sent to the analyst with the text that stands in the editor, with its tokens and cost.
"""

from dataclasses import replace

import streamlit as st

from app.i18n import clock_time, md, t, zone
from app.panels.away import patient
from app.panels.choices import still
from app.panels.draft import draft
from app.panels.editor import INSTRUCTIONS, editor
from app.panels.preview import preview
from app.panels.step_up import is_wanted
from app.panels.symbols import chosen_symbol, symbol_switch
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from app.ui import live
from app.ui.cockpit import seen_settings
from app.ui.diff import diff_html
from app.ui.write import count, short
from lib.accounts.web import SessionUser
from lib.domain.strategy import strategy_of
from lib.queries import Choices, InstructionRow

TALL = 300
MOST_SHOWN = 50
SNIPPET = 40


@st.fragment
@patient
def wording() -> None:
    """Draw the editor, the history and the preview."""
    if is_wanted():
        st.rerun(scope="app")
    user = require_user()
    chosen = system().readings.settings(user.user_id)
    if chosen is None:
        return
    live.follow("settings", seen_settings(chosen, system().readings.command(user.user_id)), where="_wording")
    with st.container(border=True, key="wording"):
        st.subheader(t("control.prompt"), anchor=False)
        st.caption(t("strategy.prompt_note"))
        editor(user, chosen, INSTRUCTIONS, TALL)
        _history(user, chosen)
    _preview(user, chosen)


def _history(user: SessionUser, chosen: Choices) -> None:
    kept = system().readings.instructions(user.user_id, MOST_SHOWN)
    if not kept:
        return
    with st.expander(t("strategy.history"), icon=":material/receipt_long:", key="history"):
        by_number = {one.number: one for one in kept}
        number = st.selectbox(
            t("strategy.version"),
            list(by_number),
            format_func=lambda one: _version(by_number[one]),
            key=still("version"),
            filter_mode=None,
        )
        shown = by_number.get(number or 0)
        if shown is not None:
            _version_shown(user, chosen, shown)


def _version(row: InstructionRow) -> str:
    at = f"{clock_time(row.made_ms)[:16]} {zone().label}" if row.made_ms else t("strategy.before")
    return f"#{row.number} · {at} · {short(row.text, SNIPPET) or t('control.no_prompt')}"


def _version_shown(user: SessionUser, chosen: Choices, row: InstructionRow) -> None:
    now = chosen.settings.custom_prompt
    st.caption(md("strategy.fingerprint", sha=row.sha256[:12], n=count(len(row.text))))
    if row.text == now:
        st.caption(t("strategy.stands"))
        st.code(row.text or t("control.no_prompt"), language=None, wrap_lines=True)
        return
    st.caption(t("strategy.diff"))
    st.html(diff_html(now, row.text, lambda kind: t(f"strategy.{kind}")))
    st.button(
        t("strategy.restore"),
        key="restore",
        icon=":material/refresh:",
        disabled=user.read_only or draft().text is not None,
        help=t("strategy.restore_first") if draft().text is not None else None,
        on_click=_restore,
        args=(row.text, chosen.settings_version),
    )


def _restore(text: str, version: int) -> None:
    """Save *text* again, as a new version, if the settings are still those of *version*."""
    user = require_user()
    chosen = system().readings.settings(user.user_id)
    if chosen is not None:
        wanted = replace(chosen.settings, custom_prompt=text)
        tell(system().trading.change_settings(user, wanted, version), t("strategy.restored"))


def _preview(user: SessionUser, chosen: Choices) -> None:
    words, way = draft().text, draft("system").text
    typed, settings = words is not None or way is not None, chosen.settings
    meant = replace(
        strategy_of(settings),
        instructions=settings.custom_prompt if words is None else words.strip(),
        system=settings.system if way is None else way.strip(),
    )
    seen = system().previews.of(user.user_id, meant, chosen_symbol(user))
    if seen is not None:
        with st.container(border=True, key="preview"):
            st.subheader(t("strategy.preview"), anchor=False)
            symbol_switch(user)
            preview(seen, chosen.settings.limits, [t("strategy.preview_typed")] if typed else [])
