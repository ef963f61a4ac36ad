"""A field of Streamlit's asks for its own key, and is told what the whole session state would have said."""

from typing import Any

import pytest
from streamlit.runtime.state import session_state
from streamlit.runtime.state.session_state import SessionState
from streamlit.testing.v1 import AppTest

from app import own_key
from app.own_key import StateByKey, fields_ask_for_their_own_key


def script() -> None:
    import streamlit as st

    st.session_state["kept"] = 7
    st.session_state["nothing"] = None
    st.number_input("number", 1, 9, 2, key="number")
    st.text_input("text", "as it was", key="text")
    st.text_input("no key", "told to nobody")
    st.selectbox("choice", ["a", "b"], index=None, key="choice")
    st.date_input("date", None, key="date")
    st.radio("radio", ["c", "d"], key="radio")


@pytest.fixture
def drawn() -> AppTest:
    """A page that was drawn, changed and drawn again."""
    page = AppTest.from_function(script).run()
    page.number_input(key="number").set_value(5)
    page.text_input(key="text").set_value("changed")
    return page.selectbox(key="choice").set_value("b").run()


def state_of(page: AppTest) -> SessionState:
    return page.session_state._state._state


def test_each_key_is_told_as_the_whole_tells_it(drawn: AppTest) -> None:
    fields_ask_for_their_own_key()
    state = state_of(drawn)
    whole: dict[str, Any] = own_key._whole(state)
    said = StateByKey(state)
    assert {
        "kept": 7,
        "nothing": None,
        "number": 5,
        "text": "changed",
        "choice": "b",
        "date": None,
    }.items() <= whole.items()
    assert {key: said[key] for key in whole} == dict(said) == whole
    assert len(said) == len(whole)
    assert repr(said) == repr(whole)
    every = {*state._keys(), *whole, "unknown", f"{session_state.STREAMLIT_INTERNAL_KEY_PREFIX}_one"}
    assert {key for key in every if key in said} == set(whole)
    assert [key for key in every if said.get(key, "-") != whole.get(key, "-")] == []


def test_no_field_walks_over_all_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    fields_ask_for_their_own_key()
    walked: list[SessionState] = []
    monkeypatch.setattr(own_key, "_whole", walked.append)
    page = AppTest.from_function(script).run()
    assert not page.exception
    assert [field.value for field in (page.number_input[0], page.text_input[0], page.radio[0])] == [2, "as it was", "c"]
    assert walked == []


def test_streamlit_still_has_what_is_taken_in_its_place() -> None:
    assert callable(own_key._whole)
    assert own_key._whole.__name__ == "filtered_state"
