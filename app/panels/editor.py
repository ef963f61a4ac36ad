"""
The editor of a text of the settings: what is typed is a draft (app.panels.draft) until it is saved or discarded, and
another text that was saved meanwhile is said, with what stands now, before anything is written over it.

Saving saves this text and nothing else.
"""

from dataclasses import dataclass, replace

import streamlit as st

from app.i18n import md, t
from app.panels.draft import Draft, Typed, draft, remember
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from app.ui.small import keep_typing
from app.ui.write import count, short
from lib.accounts.web import SessionUser
from lib.domain.account import MAX_CUSTOM_PROMPT, MAX_SYSTEM
from lib.queries import Choices

SHOWN = 60
"""Letters of the text that stands now, where another one was saved meanwhile."""
UNSEEN = "\u00a0"
"""A line that says nothing: what follows stays where it is."""


@dataclass(frozen=True, slots=True)
class Edited:
    """One of the texts: its name in the settings, its most letters, and the keys of its words."""

    name: Typed
    most: int
    label: str
    hint: str
    empty: str
    save: str
    moved: str


INSTRUCTIONS = Edited(
    "custom_prompt",
    MAX_CUSTOM_PROMPT,
    "control.prompt",
    "control.prompt_hint",
    "control.no_prompt",
    "control.save",
    "control.moved",
)
APPROACH = Edited(
    "system", MAX_SYSTEM, "strat.system", "strat.design_words", "strat.design_words", "strat.save", "strat.moved"
)


def editor(user: SessionUser, chosen: Choices, of: Edited, height: int = 90) -> None:
    """The editor of one text, *height* pixels, with what is typed and not saved."""
    held = draft(of.name)
    moved = held.moved(chosen)
    _text(user, of, held.stored(chosen) if held.text is None else held.text, held.cleared, height)
    if moved:
        now = short(held.stored(chosen), SHOWN) or t(of.empty)
        st.warning(md(of.moved, now=now), icon=":material/sync_problem:")
    _buttons(user, of, held)


def _text(user: SessionUser, of: Edited, text: str, cleared: int, height: int) -> None:
    if st.session_state.get(of.name) != text:  # else left alone: text being typed is not taken away
        st.session_state[of.name] = text
    st.text_area(
        t(of.label),
        key=of.name,
        placeholder=t("control.prompt_guest" if user.is_guest else of.hint),
        height=height,
        disabled=user.read_only or user.is_guest,  # all guests share one call
        on_change=_touched,
        args=(of.name,),
    )
    if not user.read_only:
        keep_typing(of.name, user.user_id, cleared)
    length = len(text.strip())
    told = md("control.count", n=count(length), most=count(of.most))
    # one line whatever it says: the button below must not move away from under a click
    st.caption(f":red[**{told}**]" if length > of.most else told, text_alignment="right")


def _touched(name: Typed) -> None:
    """The person typed into the field."""
    chosen, value = system().readings.settings(require_user().user_id), st.session_state[name]
    if chosen is not None and value is not None:
        held = draft(name)
        held.put(str(value), chosen)
        remember(held)


def _buttons(user: SessionUser, of: Edited, held: Draft) -> None:
    closed, key = user.read_only or user.is_guest, "" if of is INSTRUCTIONS else f"_{of.name}"
    with st.container(horizontal=True, gap="small", key=f"save_row{key}"):
        st.button(
            t(of.save), key=f"save{key}", type="primary", disabled=closed, width="stretch", on_click=_save, args=(of,)
        )
        nothing = user.read_only or held.text is None
        st.button(t("control.discard"), key=f"discard{key}", disabled=nothing, on_click=_discard, args=(of.name,))
    st.caption(t("control.unsaved") if held.text is not None else UNSEEN)


def _discard(name: Typed) -> None:
    held = draft(name)
    held.clear()
    remember(held)


def _save(of: Edited) -> None:
    """Save the text, and only it, if the one it began from still stands."""
    user, held = require_user(), draft(of.name)
    chosen = system().readings.settings(user.user_id)
    if chosen is not None:
        held.moved(chosen)
    if chosen is None or held.text is None:
        st.toast(t("control.unchanged"), icon=":material/info:")
        return
    text = held.text.strip()
    settings = chosen.settings
    wanted = replace(settings, custom_prompt=text) if of is INSTRUCTIONS else replace(settings, system=text)
    refusal = system().trading.change_settings(user, wanted, held.version)
    if tell(refusal, t("control.saved")):
        held.clear()
    elif refusal is not None and refusal.key == "refuse.settings.stale":
        held.refused(chosen)
    remember(held)
