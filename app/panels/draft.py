"""
A text of the settings that a person has typed and not saved yet, with what it rests on: the stored one when typing
began.

It outlives other pages and a reload, because the server keeps it beside the session; it never outlives signing out.
Another choice saved meanwhile (a level, a switch) is no conflict and is never written back; another text is.
"""

from dataclasses import dataclass, replace
from typing import Literal

import streamlit as st

from app.session import keepsake
from lib.queries import Choices

Typed = Literal["custom_prompt", "system"]
"""The texts of the settings that are typed: the instructions, and how to trade."""


@dataclass
class Draft:
    """
    Of the text *name*: *text* is what was typed, None while that is what is stored; *version* is that of the settings a
    save rests on, and *base* the text that stood when typing began.
    """

    name: Typed = "custom_prompt"
    version: int = 0
    text: str | None = None
    base: str = ""
    was_refused: bool = False
    cleared: int = 0
    """How often it was saved or discarded."""

    def stored(self, chosen: Choices) -> str:
        """The text that is saved."""
        return str(getattr(chosen.settings, self.name))

    def put(self, text: str, chosen: Choices) -> None:
        """The person typed *text*; what is saved already is no change."""
        if self.text is None:
            self.version, self.base = chosen.settings_version, self.stored(chosen)
        self.text = None if text == self.stored(chosen) else text

    def moved(self, chosen: Choices) -> bool:
        """Whether somebody saved another text since typing began; what became equal since is no change."""
        stored = self.stored(chosen)
        if self.text == stored:
            self.text = None
        if self.text is not None and stored == self.base and not self.was_refused:
            self.version = chosen.settings_version
        return self.text is not None and (self.was_refused or stored != self.base)

    def refused(self, chosen: Choices) -> None:
        """A save was refused, *chosen* being in its way: it is told with what stands now, and the next one is meant."""
        self.version, self.base, self.was_refused = chosen.settings_version, self.stored(chosen), True

    def clear(self) -> None:
        """Nothing is unsaved."""
        self.version, self.text, self.base, self.was_refused = 0, None, "", False
        self.cleared += 1


def draft(name: Typed = "custom_prompt") -> Draft:
    """This tab's draft of *name*; a new tab begins with a copy of the newest one of this session."""
    held = st.session_state.get(_held(name))
    if not isinstance(held, Draft):
        known = keepsake().get(_held(name))
        held = replace(known) if isinstance(known, Draft) else Draft(name)
        st.session_state[_held(name)] = held
    return held


def remember(held: Draft) -> None:
    """Keep *held* beside the session."""
    keepsake()[_held(held.name)] = replace(held)


def _held(name: Typed) -> str:
    return f"_draft_{name}"
