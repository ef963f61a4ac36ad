"""
The instructions a person has typed and not saved yet, with what they rest on: the stored text when typing began.

They outlive other pages and a reload, because the server keeps them beside the session; they never outlive signing
out. Another choice saved meanwhile (a level, a switch) is no conflict and is never written back; another text is.
"""

from dataclasses import dataclass, replace

import streamlit as st

from app.session import keepsake
from lib.queries import Choices

_HELD = "_draft"


@dataclass
class Draft:
    """
    *text* is what was typed, None while that is what is stored; *version* is that of the settings a save rests on, and
    *base* the text that stood when typing began.
    """

    version: int = 0
    text: str | None = None
    base: str = ""
    was_refused: bool = False
    cleared: int = 0
    """How often it was saved or discarded."""

    def put(self, text: str, chosen: Choices) -> None:
        """The person typed *text*; what is saved already is no change."""
        if self.text is None:
            self.version, self.base = chosen.settings_version, chosen.settings.custom_prompt
        self.text = None if text == chosen.settings.custom_prompt else text

    def moved(self, chosen: Choices) -> bool:
        """Whether somebody saved another text since typing began; what became equal since is no change."""
        stored = chosen.settings.custom_prompt
        if self.text == stored:
            self.text = None
        if self.text is not None and stored == self.base and not self.was_refused:
            self.version = chosen.settings_version
        return self.text is not None and (self.was_refused or stored != self.base)

    def refused(self, chosen: Choices) -> None:
        """A save was refused, *chosen* being in its way: it is told with what stands now, and the next one is meant."""
        self.version, self.base, self.was_refused = chosen.settings_version, chosen.settings.custom_prompt, True

    def clear(self) -> None:
        """Nothing is unsaved."""
        self.version, self.text, self.base, self.was_refused = 0, None, "", False
        self.cleared += 1


def draft() -> Draft:
    """This tab's draft; a new tab begins with a copy of the newest one of this session."""
    held = st.session_state.get(_HELD)
    if not isinstance(held, Draft):
        known = keepsake().get(_HELD)
        held = replace(known) if isinstance(known, Draft) else Draft()
        st.session_state[_HELD] = held
    return held


def remember(held: Draft) -> None:
    """Keep *held* beside the session."""
    keepsake()[_HELD] = replace(held)
