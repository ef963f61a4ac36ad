"""
The controls of the analyst: the one word for the account, the switch, asking now, and the settings.

All of it is one fragment that reads everything anew every two seconds, so every tab shows what the last one saved; a
draft (app.panels.draft) keeps what is not saved. A read-only visitor sees them all and can move none.
"""

from collections.abc import Callable

import streamlit as st

from app.i18n import language, md, t, words
from app.panels.asked import asked
from app.panels.away import patient
from app.panels.draft import Draft, draft, remember
from app.panels.state import EVERY, draw_state, standing
from app.panels.step_up import is_wanted, want
from app.session import require_user
from app.system import system
from app.ui.analyst import analyst_name
from app.ui.reasons import say
from app.ui.small import keep_typing
from app.ui.write import percent, short
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.account import MAX_CUSTOM_PROMPT, RISK_PROFILES, AccountSettings, RiskLevel
from lib.domain.reason import Reason
from lib.queries import Choices

HIGHEST_LEVERAGE = 25
SHOWN_PROMPT = 60
UNSEEN = "\u00a0"
"""A line that says nothing: what follows stays where it is."""


def control(user: SessionUser) -> None:
    """Draw the panel; what a person changes here is saved for them alone."""
    with st.container(border=True, key="control"):
        st.subheader(t("control.title"), anchor=False)
        if (answering := system().readings.analyst_profile()) is not None:
            st.caption(md("control.analyst", name=analyst_name(answering.answered, t)))
        if system().readings.settings(user.user_id) is None:
            _newcomer(user)
        else:
            _panel()


def _newcomer(user: SessionUser) -> None:
    st.caption(t("control.no_account"))
    if st.button(t("control.open_paper"), key="open_paper", disabled=user.read_only, width="stretch", type="primary"):
        tell(system().trading.open_paper(require_user()), t("control.opened"))
        st.rerun()


@st.fragment(run_every=EVERY)
@patient
def _panel() -> None:
    if is_wanted():
        st.rerun(scope="app")
    user, found = require_user(), standing()
    chosen = system().readings.settings(user.user_id)
    if chosen is None or found is None:
        return
    draw_state(found)
    _switch(user, chosen.auto_trade)
    _ask(user)
    asked()
    _form(user, chosen)


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
    return f"{value:,}" if isinstance(value, int) else value


def _switch(user: SessionUser, on: bool) -> None:
    if user.read_only:
        # a disabled toggle is grey either way: a badge shows which
        st.badge(
            t("control.auto_trade"), icon=f":material/toggle_{'on' if on else 'off'}:", color="green" if on else "gray"
        )
        return
    _show("auto_trade", on)
    st.toggle(t("control.auto_trade"), key="auto_trade", on_change=_switched)


def _switched() -> None:
    user, on = require_user(), bool(st.session_state["auto_trade"])
    tell(system().trading.set_auto_trade(user, on), t("control.switched_on" if on else "control.switched_off"))


def _ask(user: SessionUser) -> None:
    if st.button(
        t("control.ask_now"), key="ask_now", icon=":material/psychology:", disabled=user.read_only, width="stretch"
    ):
        tell(system().trading.ask_now(require_user()), t("control.asked"))


def _show(name: str, value: object) -> None:
    """Have the widget *name* show *value*; left alone when it does, so that text being typed is not taken away."""
    if st.session_state.get(name) != value:
        st.session_state[name] = value


def _touched(name: str) -> Callable[[], None]:
    """What to do when the person moved the widget *name*."""

    def put() -> None:
        chosen = system().readings.settings(require_user().user_id)
        value = st.session_state[name]
        if chosen is not None and value is not None:
            held = draft()
            held.put(name, _meant(name, value), chosen)
            remember(held)

    return put


def _meant(name: str, value: str | int) -> object:
    """What the value of the widget *name* stands for."""
    if name == "risk_level":
        return RiskLevel(str(value))
    return value if isinstance(value, str) else int(value)


def _form(user: SessionUser, chosen: Choices) -> None:
    held = draft()
    moved = held.moved(chosen)
    wanted = held.over(chosen.settings)
    _level(user, wanted)
    _leverage(user, wanted)
    _prompt(user, held.values.get("custom_prompt", chosen.settings.custom_prompt), held.cleared)
    if moved:
        st.warning(md("control.moved", now=_in_words(chosen.settings)), icon=":material/sync_problem:")
    _buttons(user, held)


def _level(user: SessionUser, wanted: AccountSettings) -> None:
    _show("risk_level", wanted.risk_level)
    st.segmented_control(
        t("control.risk_level"),
        list(RiskLevel),
        format_func=lambda one: t(f"risk.{one.value}"),
        key="risk_level",
        required=True,
        disabled=user.read_only,
        width="stretch",
        on_change=_touched("risk_level"),
    )
    profile = RISK_PROFILES[wanted.risk_level]
    st.caption(
        md(
            "control.means",
            risk=percent(profile.risk_per_trade, places=1),
            leverage=profile.leverage_cap,
            confidence=percent(profile.min_confidence, places=0),
        )
    )


def _leverage(user: SessionUser, wanted: AccountSettings) -> None:
    _show("max_leverage", min(wanted.max_leverage, HIGHEST_LEVERAGE))
    st.slider(
        t("control.max_leverage"),
        1,
        HIGHEST_LEVERAGE,
        key="max_leverage",
        format="%d×",
        disabled=user.read_only,
        on_change=_touched("max_leverage"),
    )
    cap = RISK_PROFILES[wanted.risk_level].leverage_cap
    if wanted.max_leverage > cap:
        st.caption(md("control.capped", leverage=cap))


def _prompt(user: SessionUser, text: str, cleared: int) -> None:
    _show("custom_prompt", text)
    st.text_area(
        t("control.prompt"),
        key="custom_prompt",
        placeholder=t("control.prompt_guest" if user.is_guest else "control.prompt_hint"),
        height=90,
        disabled=user.read_only or user.is_guest,  # all guests share one call
        on_change=_touched("custom_prompt"),
    )
    if not user.read_only:
        keep_typing("custom_prompt", user.user_id, cleared)
    count, most = len(text.strip()), MAX_CUSTOM_PROMPT
    told = md("control.count", n=f"{count:,}", most=f"{most:,}")
    # one line whatever it says: the button below must not move away from under a click
    st.caption(f":red[**{told}**]" if count > most else told, text_alignment="right")


def _buttons(user: SessionUser, held: Draft) -> None:
    with st.container(horizontal=True, gap="small", key="save_row"):
        st.button(
            t("control.save"), key="save", type="primary", disabled=user.read_only, width="stretch", on_click=_save
        )
        nothing = user.read_only or not held.values
        st.button(t("control.discard"), key="discard", disabled=nothing, on_click=_discard)
    st.caption(t("control.unsaved") if held.values else UNSEEN)


def _discard() -> None:
    held = draft()
    held.clear()
    remember(held)


def _save() -> None:
    """Save what was touched, and only that, if the settings are still those it rests on."""
    user, held = require_user(), draft()
    chosen = system().readings.settings(user.user_id)
    if chosen is None or not held.values:
        st.toast(t("control.unchanged"), icon=":material/info:")
        return
    refusal = system().trading.change_settings(user, held.over(chosen.settings), held.version)
    if tell(refusal, t("control.saved")):
        held.clear()
    elif refusal is not None and refusal.key == "refuse.settings.stale":
        # told, with what stands now on the page: the next press is meant
        held.version, held.was_refused = chosen.settings_version, True
    remember(held)


def _in_words(settings: AccountSettings) -> str:
    """*settings* in a line."""
    prompt = short(settings.custom_prompt, SHOWN_PROMPT) or t("control.no_prompt")
    level = t(f"risk.{settings.risk_level.value}")
    return t("control.now", level=level, leverage=settings.max_leverage, prompt=prompt)
