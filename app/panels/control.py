"""
The controls of the analyst: what is chosen at one touch (`app/assets/live/switches.mjs`), asking now, and the
instructions of one's own.

A choice is saved by REST the moment it is made. The instructions are typed, so they have a draft (app.panels.draft)
and a button of their own; the fragment around them is drawn anew when the settings, or what was asked, changed in any
tab. A read-only visitor sees everything and can move nothing.
"""

from dataclasses import replace

import streamlit as st

from app.i18n import language, md, t, words
from app.panels.asked import asked
from app.panels.away import patient
from app.panels.draft import Draft, draft, remember
from app.panels.step_up import is_wanted, want
from app.session import require_user
from app.system import system
from app.ui import live
from app.ui.analyst import analyst_name
from app.ui.cockpit import seen_settings
from app.ui.reasons import say
from app.ui.small import keep_typing
from app.ui.write import count, percent, short
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.account import MAX_CUSTOM_PROMPT, RISK_PROFILES, RiskLevel
from lib.domain.reason import Reason
from lib.queries import Choices

HIGHEST_LEVERAGE = 25
SHOWN_PROMPT = 60
UNSEEN = "\u00a0"
"""A line that says nothing: what follows stays where it is."""
SWITCHES = ("auto_trade", "auto_on", "auto_off", "risk_level", "max_leverage", "capped", "saved")
SWITCHED = ("switched_on", "switched_off")


def control(user: SessionUser) -> None:
    """Draw the panel; what a person changes here is saved for them alone."""
    with st.container(border=True, key="control"):
        st.subheader(t("control.title"), anchor=False)
        if (answering := system().readings.analyst_profile()) is not None:
            st.caption(md("control.analyst", name=analyst_name(answering.answered, t)))
        standing = system().readings.standing(user.user_id)
        # an account opened, or exchanged, in another tab is another page
        live.follow("account", "" if standing is None else str(standing.account_id))
        if standing is None:
            _newcomer(user)
        else:
            _switches(user)
            _panel()


def _newcomer(user: SessionUser) -> None:
    st.caption(t("control.no_account"))
    if st.button(t("control.open_paper"), key="open_paper", disabled=user.read_only, width="stretch", type="primary"):
        tell(system().trading.open_paper(require_user()), t("control.opened"))
        st.rerun()


def _switches(user: SessionUser) -> None:
    text = {name: t(f"control.{name}") for name in (*SWITCHES, *SWITCHED)}
    levels = {level: (t(f"risk.{level.value}"), _means(level)) for level in RiskLevel}
    live.switches(text, levels, HIGHEST_LEVERAGE, read_only=user.read_only)


def _means(level: RiskLevel) -> str:
    profile = RISK_PROFILES[level]
    return t(
        "control.means",
        risk=percent(profile.risk_per_trade, places=1),
        leverage=profile.leverage_cap,
        confidence=percent(profile.min_confidence, places=0),
    )


@st.fragment
@patient
def _panel() -> None:
    if is_wanted():
        st.rerun(scope="app")
    user = require_user()
    chosen = system().readings.settings(user.user_id)
    if chosen is None:
        return
    live.follow("settings", seen_settings(chosen, system().readings.command(user.user_id)))
    _ask(user)
    asked()
    instructions(user, chosen)


def tell(refusal: Refusal | None, success: str) -> bool:
    """Say how an act ended; True when it was done."""
    if refusal is None:
        st.toast(success, icon=":material/check_circle:")
        return True
    want(refusal)
    st.toast(sentence(refusal), icon=":material/block:", duration="long")
    return False


def sentence(refusal: Refusal) -> str:
    """*refusal* in words, for a toast or a message: the engine's or the exchange's own sentence in it is text."""
    return md(refusal.key, **{name: _word(name, value) for name, value in refusal.params.items()})


def _word(name: str, value: object) -> object:
    """A refusal's parameter as people read it: no page names a field or a limit as the code does."""
    if isinstance(value, Reason):
        return say(value, language())
    if name in ("field", "name"):
        keys = (f"{kind}.{value}" for kind in ("field", "limit"))
        return next((t(key) for key in keys if key in words("")), value)
    return count(value) if isinstance(value, int) else value


def _ask(user: SessionUser) -> None:
    if st.button(
        t("control.ask_now"), key="ask_now", icon=":material/psychology:", disabled=user.read_only, width="stretch"
    ):
        tell(system().trading.ask_now(require_user()), t("control.asked"))


def _show(name: str, value: object) -> None:
    """Have the widget *name* show *value*; left alone when it does, so that text being typed is not taken away."""
    if st.session_state.get(name) != value:
        st.session_state[name] = value


def _touched() -> None:
    """The person typed into the field."""
    chosen, value = system().readings.settings(require_user().user_id), st.session_state["custom_prompt"]
    if chosen is not None and value is not None:
        held = draft()
        held.put(str(value), chosen)
        remember(held)


def instructions(user: SessionUser, chosen: Choices, height: int = 90) -> None:
    """The editor of the person's own instructions, *height* pixels, with what is typed and not saved."""
    held = draft()
    moved = held.moved(chosen)
    _prompt(user, chosen.settings.custom_prompt if held.text is None else held.text, held.cleared, height)
    if moved:
        now = short(chosen.settings.custom_prompt, SHOWN_PROMPT) or t("control.no_prompt")
        st.warning(md("control.moved", now=now), icon=":material/sync_problem:")
    _buttons(user, held)


def _prompt(user: SessionUser, text: str, cleared: int, height: int) -> None:
    _show("custom_prompt", text)
    st.text_area(
        t("control.prompt"),
        key="custom_prompt",
        placeholder=t("control.prompt_guest" if user.is_guest else "control.prompt_hint"),
        height=height,
        disabled=user.read_only or user.is_guest,  # all guests share one call
        on_change=_touched,
    )
    if not user.read_only:
        keep_typing("custom_prompt", user.user_id, cleared)
    length, most = len(text.strip()), MAX_CUSTOM_PROMPT
    told = md("control.count", n=count(length), most=count(most))
    # one line whatever it says: the button below must not move away from under a click
    st.caption(f":red[**{told}**]" if length > most else told, text_alignment="right")


def _buttons(user: SessionUser, held: Draft) -> None:
    closed = user.read_only or user.is_guest
    with st.container(horizontal=True, gap="small", key="save_row"):
        st.button(t("control.save"), key="save", type="primary", disabled=closed, width="stretch", on_click=_save)
        nothing = user.read_only or held.text is None
        st.button(t("control.discard"), key="discard", disabled=nothing, on_click=_discard)
    st.caption(t("control.unsaved") if held.text is not None else UNSEEN)


def _discard() -> None:
    held = draft()
    held.clear()
    remember(held)


def _save() -> None:
    """Save the instructions, and only them, if the text they began from still stands."""
    user, held = require_user(), draft()
    chosen = system().readings.settings(user.user_id)
    if chosen is not None:
        held.moved(chosen)
    if chosen is None or held.text is None:
        st.toast(t("control.unchanged"), icon=":material/info:")
        return
    wanted = replace(chosen.settings, custom_prompt=held.text.strip())
    refusal = system().trading.change_settings(user, wanted, held.version)
    if tell(refusal, t("control.saved")):
        held.clear()
    elif refusal is not None and refusal.key == "refuse.settings.stale":
        held.refused(chosen)
    remember(held)
