"""
A person's own instructions: the editor, every version with what it changed and the way back to it, and exactly what is
sent to the analyst with the text that stands in the editor, with its tokens and cost.
"""

from dataclasses import replace

import streamlit as st

from app.i18n import clock_time, md, t, zone
from app.panels.away import patient
from app.panels.choices import still
from app.panels.control import instructions, tell
from app.panels.draft import draft
from app.panels.step_up import is_wanted
from app.session import require_user
from app.system import system
from app.ui import live
from app.ui.cockpit import seen_settings
from app.ui.diff import diff_html
from app.ui.letters import letters
from app.ui.models import model_label, prices_words, usd
from app.ui.write import count, exact, short, shown
from lib.accounts.web import SessionUser
from lib.bootstrap.preview import Preview
from lib.domain.candle import MINUTE_MS
from lib.domain.day import DAY_MS
from lib.queries import Choices, InstructionRow

TALL = 300
MOST_SHOWN = 50
SNIPPET = 40
PROMPT_HEIGHT = 240


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
        instructions(user, chosen, TALL)
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
    typed = draft().text
    seen = system().previews.of(user.user_id, None if typed is None else typed.strip())
    if seen is None:
        return
    with st.container(border=True, key="preview"):
        st.subheader(t("strategy.preview"), anchor=False)
        at = f"{clock_time(seen.closed_ms, date=False)[:5]} {zone().label}" if seen.closed_ms else "–"
        st.caption(md("strategy.preview_note", n=seen.candles, at=at))
        if typed is not None:
            st.caption(f":orange[{md('strategy.preview_typed')}]")
        _figures(seen, chosen)
        st.caption(t("strategy.system"))
        letters(seen.system, PROMPT_HEIGHT)
        st.caption(t("strategy.user"))
        letters(seen.user, PROMPT_HEIGHT)


def _figures(seen: Preview, chosen: Choices) -> None:
    cost = "–" if seen.usd_day is None else f"${shown(f'{seen.usd_day:,.2f}')}"
    cells = (
        ("tokens", f"≈ {count(seen.tokens)}"),
        ("tokens_day", f"≈ {count(seen.tokens_day)}"),
        ("usd_day", f"≈ {cost}" if seen.usd_day is not None else cost),
    )
    with st.grid(columns="auto", min_column_width=130, gap="small"):
        for name, value in cells:
            st.metric(t(f"strategy.{name}"), value, border=True)
    st.caption(md("strategy.asked", model=model_label(seen.asked), price=prices_words(seen.asked.prices, t)))
    if seen.usd_call is not None:
        each = {"tokens": count(seen.tokens), "answer": count(seen.answer_tokens), "usd": usd(seen.usd_call)}
        st.caption(md("strategy.a_call", calls=count(seen.calls), **each))
    minutes = DAY_MS // (seen.calls * MINUTE_MS)
    st.caption(md("strategy.estimate", n=minutes, calls=count(seen.calls), answer=seen.answer_tokens))
    if seen.usd_day is None:
        st.caption(md("strategy.no_prices"))
    if seen.last is not None:
        cost = "" if seen.last.cost_usd is None else f"· ${exact(seen.last.cost_usd)}"
        told = f"{count(seen.last.prompt_tokens)} + {count(seen.last.completion_tokens)}"
        st.caption(md("strategy.last", tokens=told, cost=cost))
    if seen.tokens_day > chosen.settings.limits.analyst_tokens:
        most = count(chosen.settings.limits.analyst_tokens)
        st.warning(md("strategy.over_budget", most=most), icon=":material/warning:")
