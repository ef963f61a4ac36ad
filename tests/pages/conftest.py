"""Pages under Streamlit's own test runner: a staged system behind them, cookies and language of our choice."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
import streamlit as st
from streamlit.runtime.context import ContextProxy, StreamlitCookies
from streamlit.testing.v1 import AppTest

import app.session
import app.system
from tests.installed_packages import read_once
from tests.worlds.pages import stage

SCRIPT = str(Path(__file__).resolve().parents[2] / "streamlit_app.py")
LOCALES = {"ko": "ko-KR", "en": "en-GB"}
Visit = Callable[..., AppTest]


@pytest.fixture(scope="session", autouse=True)
def packages_read_once() -> Iterator[None]:
    """One look at the installed packages for all tests of this folder."""
    with read_once():
        yield


@pytest.fixture
def staged(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The system every page of this test sees."""
    made = stage()
    monkeypatch.setattr(app.system, "_held", [made])
    monkeypatch.setattr(app.session, "_kept", {})
    # a test asks for an option's label outside any run: who was seen there belongs to the test before
    st.session_state.clear()
    return made


@pytest.fixture
def cookies() -> Iterator[dict[str, str]]:
    """The cookies of the browser's handshake; change them to become somebody else."""
    held: dict[str, str] = {}
    reading = mock.PropertyMock(side_effect=lambda: StreamlitCookies(held))
    with mock.patch.object(ContextProxy, "cookies", new_callable=lambda: reading):
        yield held


def speak(staged: SimpleNamespace, token: str, language: str) -> None:
    """The account behind *token* has *language*."""
    known = staged.people.tokens.get(token)
    if known is not None:
        staged.people.tokens[token] = replace(known, locale=language)


@pytest.fixture
def visit(staged: SimpleNamespace, cookies: dict[str, str]) -> Visit:
    """Open a page as somebody, in a language."""

    def opened(token: str | None, page: str = "dashboard", language: str = "ko", **asked: str) -> AppTest:
        """*language* is the browser's; a person's own account has it too, unless it was switched before."""
        cookies.clear()
        if token:
            cookies["maemae"] = token
            speak(staged, token, language)
        at = AppTest.from_file(SCRIPT, default_timeout=30)
        at.context = {"locale": LOCALES[language]}
        for name, value in asked.items():
            at.query_params[name] = value
        return (at.switch_page(f"app/pages/{page}.py") if token and page != "dashboard" else at).run()

    return opened
