"""
What a person changed on the dashboard and has not saved yet: by field, with the version of the settings it rests on.

It outlives other pages and a reload, because the server keeps it beside the session; it never outlives signing out.
Only fields that were touched are in it, so saving writes nothing back that another tab changed.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from app.session import keepsake
from lib.domain.account import AccountSettings
from lib.queries import Choices

_HELD = "_draft"


@dataclass
class Draft:
    """*values* by the name of the setting; *version* is that of the settings when the first of them was touched."""

    version: int = 0
    values: dict[str, Any] = field(default_factory=dict)
    was_refused: bool = False
    cleared: int = 0
    """How often it was saved or discarded."""

    def put(self, name: str, value: object, chosen: Choices) -> None:
        """The person set *name*; what is saved already is no change."""
        self.version = self.version if self.values else chosen.settings_version
        if value == getattr(chosen.settings, name):
            self.values.pop(name, None)
        else:
            self.values[name] = value

    def over(self, settings: AccountSettings) -> AccountSettings:
        """*settings* with what was touched; blanks around a text are not meant."""
        meant: dict[str, Any] = {
            name: value.strip() if type(value) is str else value for name, value in self.values.items()
        }
        return replace(settings, **meant)

    def moved(self, chosen: Choices) -> bool:
        """Whether somebody saved other settings since the first touch; what became equal since is no change."""
        self.values = {name: value for name, value in self.values.items() if value != getattr(chosen.settings, name)}
        return bool(self.values) and (self.was_refused or self.version != chosen.settings_version)

    def clear(self) -> None:
        """Nothing is unsaved."""
        self.version, self.values, self.was_refused = 0, {}, False
        self.cleared += 1


def draft() -> Draft:
    """This tab's draft; a new tab begins with a copy of the newest one of this session."""
    held = st.session_state.get(_HELD)
    if not isinstance(held, Draft):
        known = keepsake().get(_HELD)
        held = replace(known, values=dict(known.values)) if isinstance(known, Draft) else Draft()
        st.session_state[_HELD] = held
    return held


def remember(held: Draft) -> None:
    """Keep *held* beside the session."""
    keepsake()[_HELD] = replace(held, values=dict(held.values))
