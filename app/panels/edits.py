"""
Choices a person made on the strategy page and has not saved yet, by name, with what stood when each was touched.

They outlive other pages and a reload, as drafts do (app.panels.draft). What is saved is what was touched and nothing
else; a choice that somebody changed meanwhile is told before it is overwritten.
"""

from dataclasses import dataclass, field, fields, replace
from typing import Any

import streamlit as st

from app.session import keepsake
from lib.domain.account import AccountSettings, Limits

_HELD = "_edits"
LIMITS = tuple(one.name for one in fields(Limits))


def value_of(settings: AccountSettings, name: str) -> Any:
    """The choice *name*: a field of the settings or of their limits."""
    return getattr(settings.limits if name in LIMITS else settings, name)


@dataclass
class Edits:
    """*values* by name; *base* is what stood when each was first touched, *told* what it was said to be since."""

    values: dict[str, Any] = field(default_factory=dict)
    base: dict[str, Any] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)

    def copy(self) -> "Edits":
        return Edits(dict(self.values), dict(self.base), dict(self.told))

    def put(self, name: str, value: object, settings: AccountSettings) -> None:
        """The person chose *value*; what is saved already is no change."""
        stored = value_of(settings, name)
        self.base.setdefault(name, stored)
        self.values[name] = value
        if value == stored:
            del self.values[name], self.base[name]

    def over(self, settings: AccountSettings) -> AccountSettings:
        """*settings* with what was touched."""
        limits = {name: value for name, value in self.values.items() if name in LIMITS}
        others = {name: value for name, value in self.values.items() if name not in LIMITS}
        return replace(settings, **others, limits=replace(settings.limits, **limits))

    def moved(self, settings: AccountSettings) -> list[str]:
        """The touched choices that somebody else changed since; what became equal since is no change."""
        for name in [name for name, value in self.values.items() if value == value_of(settings, name)]:
            del self.values[name], self.base[name]
        return [name for name in self.values if self.base[name] != value_of(settings, name)]

    def unheard(self, settings: AccountSettings) -> list[str]:
        """Those of `moved` whose newest value nobody was told yet; now they are."""
        found = [name for name in self.moved(settings) if self.told.get(name, ...) != value_of(settings, name)]
        self.told |= {name: value_of(settings, name) for name in found}
        return found


def edits() -> Edits:
    """This tab's edits; a new tab begins with a copy of the newest ones of this session."""
    held = st.session_state.get(_HELD)
    if not isinstance(held, Edits):
        known = keepsake().get(_HELD)
        held = known.copy() if isinstance(known, Edits) else Edits()
        st.session_state[_HELD] = held
    return held


def show_edit(name: str, value: object) -> None:
    """Let the widget `edit_<name>` show *value*."""
    if st.session_state.get(f"edit_{name}") != value:
        st.session_state[f"edit_{name}"] = value


def remember_edits(held: Edits) -> None:
    """Keep *held* beside the session."""
    keepsake()[_HELD] = held.copy()
