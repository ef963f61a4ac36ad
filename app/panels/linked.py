"""
Widgets whose choice stands in the address, so that it can be linked, reloaded and gone back to.

The address carries the option's value, the same in every language, and nothing while the choice is the default. An
address that changed by itself (a link, the way back) moves the widget; what it cannot mean is the default. A click
sends the address it was made at, which may lack the click before: a choice writes every linked widget's choice again.
"""

from collections.abc import Sequence

import streamlit as st

_LINKED = "_linked_widgets"
"""The default of each widget that stood in the address on this or an earlier page, by its key."""


def from_address(key: str, options: Sequence[str], default: str) -> None:
    """Call before the widget *key* is drawn: its value becomes what the address says."""
    st.session_state[_LINKED] = {**st.session_state.get(_LINKED, {}), key: default}
    asked = st.query_params.get(key, default)
    asked = asked if asked in options else default
    if key not in st.session_state or st.session_state.get(_seen(key)) != asked:
        st.session_state[key] = st.session_state[_seen(key)] = asked


def words_from_address(key: str, most: int) -> None:
    """As `from_address`, for a field that takes any words, at most so many characters."""
    st.session_state[_LINKED] = {**st.session_state.get(_LINKED, {}), key: ""}
    asked = st.query_params.get(key, "")[:most]
    if key not in st.session_state or st.session_state.get(_seen(key)) != asked:
        st.session_state[key] = st.session_state[_seen(key)] = asked


def into_address(key: str, default: str) -> None:
    """The widget's `on_change`: the address says what was chosen, here and in the page's other linked widgets."""
    for other, usual in st.session_state.get(_LINKED, {}).items():
        if other != key and other in st.session_state:
            _write(other, usual)
    _write(key, default)


def _write(key: str, default: str) -> None:
    chosen = st.session_state[key]
    st.session_state[_seen(key)] = chosen
    if chosen == default:
        st.query_params.pop(key, None)
    else:
        st.query_params[key] = chosen


def _seen(key: str) -> str:
    return f"_{key}_in_address"
