"""
Widgets whose choice stands in the address, so that it can be linked, reloaded and gone back to.

The address carries the option's value, the same in every language, and nothing while the choice is the default. An
address that changed by itself (a link, the way back) moves the widget; what it cannot mean is the default.
"""

from collections.abc import Sequence

import streamlit as st


def from_address(key: str, options: Sequence[str], default: str) -> None:
    """Call before the widget *key* is drawn: its value becomes what the address says."""
    asked = st.query_params.get(key, default)
    asked = asked if asked in options else default
    if key not in st.session_state or st.session_state.get(_seen(key)) != asked:
        st.session_state[key] = st.session_state[_seen(key)] = asked


def into_address(key: str, default: str) -> None:
    """The widget's `on_change`: the address says what was chosen."""
    chosen = st.session_state[key]
    st.session_state[_seen(key)] = chosen
    if chosen == default:
        st.query_params.pop(key, None)
    else:
        st.query_params[key] = chosen


def _seen(key: str) -> str:
    return f"_{key}_in_address"
