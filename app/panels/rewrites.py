"""
Versions of strategies that a person is writing and has not saved yet, one a strategy: what they began from and what is
meant now.

They outlive other pages and a reload, as drafts do (app.panels.draft), and nothing that is saved elsewhere touches
them: a version saved meanwhile is told before another is put behind it.
"""

from dataclasses import dataclass, replace

import streamlit as st

from app.session import keepsake
from lib.domain.strategy import Strategy, StrategyVersion

_HELD = "_rewrites"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """
    What is *meant* to become a version of a strategy, begun from *base* when *newest* was its newest number; *begun_ms*
    tells one from those before.
    """

    base: StrategyVersion
    newest: int
    meant: Strategy
    begun_ms: int

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to save."""
        return self.meant != self.base.content


def rewrites() -> dict[int, Rewrite]:
    """This tab's, by strategy; a new tab begins with a copy of the newest ones of this session."""
    held = st.session_state.get(_HELD)
    if not isinstance(held, dict):
        known = keepsake().get(_HELD)
        held = dict(known) if isinstance(known, dict) else {}
        st.session_state[_HELD] = held
    return held


def put(strategy_id: int, rewrite: Rewrite | None) -> None:
    """Keep *rewrite*; None ends it."""
    held = rewrites()
    held.pop(strategy_id, None)
    if rewrite is not None:
        held[strategy_id] = rewrite
    keepsake()[_HELD] = dict(held)


def mean(strategy_id: int, **changes: object) -> None:
    """The person changed what is meant; nothing for a strategy that nobody rewrites any more."""
    held = rewrites().get(strategy_id)
    if held is not None:
        put(strategy_id, replace(held, meant=replace(held.meant, **changes)))  # type: ignore[arg-type]
