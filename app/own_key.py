"""
A field that asks for its own key.

Streamlit 1.67 has every number, text, choice and date ask for the whole session state to look at one key of it: each
field costs a walk over all the others, a third of the time in which the strategy page is drawn. Here it is handed the
same state, read where it is asked (ADR 0085).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from streamlit.runtime.state.common import is_element_id
from streamlit.runtime.state.session_state import SessionState, _is_internal_key

_whole = SessionState.filtered_state.fget  # type: ignore[attr-defined] # a property, which mypy takes for its value


class StateByKey(Mapping[str, Any]):
    """What `SessionState.filtered_state` says of *state*, found key by key; all of it only for who asks for all."""

    def __init__(self, state: SessionState) -> None:
        self._state = state

    def __getitem__(self, key: str) -> Any:
        if is_element_id(key) or _is_internal_key(key):
            raise KeyError(key)
        return self._state[key]

    def __iter__(self) -> Iterator[str]:
        return iter(_whole(self._state))

    def __len__(self) -> int:
        return len(_whole(self._state))

    def __repr__(self) -> str:
        return repr(_whole(self._state))


def fields_ask_for_their_own_key() -> None:
    """Put `StateByKey` in the place of the whole, in this process; once or often."""
    SessionState.filtered_state = property(StateByKey)  # type: ignore[assignment,method-assign]
