"""
Who is signed in: the only file of the screens that knows.

The session row decides, on every run and in every fragment, not the moment the page was opened: a browser's socket
keeps the cookie of its handshake for ever, so a session ended elsewhere must be noticed here. An answer is reused for
a moment only. Where the server vouches for an identity in a header, it must be the cookie's person: a leaked Streamlit
session id opens nothing. Nothing about identity is taken from the session state.
"""

import threading
import time
from dataclasses import dataclass
from hashlib import sha256

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.system import system
from app.ui.write import write_for
from app.visit import PLAIN_COOKIE, SECURE_COOKIE, Visit
from lib.accounts.web import Origin, SessionUser
from lib.domain.account import NUMBERS

COOKIES = (SECURE_COOKIE, PLAIN_COOKIE)
IDENTITY = "maemae_session"
"""The key in `st.user` under which Streamlit keeps the identity header of our own middleware."""
FRESH_S = 2.0
_SEEN = "_session_seen"
MOST_KEPT = 2_000
"""Sessions for which something is kept; the one asked for longest ago is forgotten first."""
_kept: dict[str, dict[str, object]] = {}
_keeping = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Seen:
    token: str
    user: SessionUser | None
    until: float

    def __repr__(self) -> str:
        return "_Seen()"


class _Answer(threading.local):
    """Whom the run in this thread is for, until when: a page asks at every word, hundreds of times a run."""

    run: object = None
    user: SessionUser | None = None
    until = 0.0


_answer = _Answer()


def current_user() -> SessionUser | None:
    """
    The person this run is for, or None: unknown, expired, signed out, or not whom the server vouched for.

    Numbers are written their way from here on: the thread of a run is its session's alone.
    """
    run = get_script_run_ctx(suppress_warning=True)
    if run is None or _answer.run is not run or time.monotonic() >= _answer.until:
        _answer.user, _answer.until = _user()
        _answer.run = run
        write_for(_answer.user.numbers if _answer.user is not None else NUMBERS)
    return _answer.user


def _user() -> tuple[SessionUser | None, float]:
    """The person, and until when that holds."""
    token = _token()
    if token is None:
        return None, 0.0
    seen = st.session_state.get(_SEEN)
    if not (isinstance(seen, _Seen) and seen.token == token and time.monotonic() < seen.until):
        seen = _Seen(token, system().people.user_of(token), time.monotonic() + FRESH_S)
        st.session_state[_SEEN] = seen
    return seen.user if seen.user is not None and _vouched(token, seen.user) else None, seen.until


def require_user() -> SessionUser:
    """The person; without one nothing more is drawn and the whole script runs again, which then shows the door."""
    user = current_user()
    if user is None:
        look_again()
        st.rerun(scope="app")
    return user


def look_again() -> None:
    """What is known of the person is read anew at the next question: something about them was just changed."""
    st.session_state.pop(_SEEN, None)
    _answer.run = None


def keepsake() -> dict[str, object]:
    """What this process keeps for the signed-in session, whichever tab asks; gone with it, never written down."""
    token = sha256((_token() or "").encode()).hexdigest()
    with _keeping:
        kept = _kept.pop(token, {})
        _kept[token] = kept
        while len(_kept) > MOST_KEPT:
            _kept.pop(next(iter(_kept)))
    return kept


def _token() -> str | None:
    cookies = st.context.cookies
    return next((cookies[name] for name in COOKIES if name in cookies), None)


def _vouched(token: str, user: SessionUser) -> bool:
    # where st.user has it from: that looks for files of secrets at every question, and a page asks at every word
    context = get_script_run_ctx(suppress_warning=True)
    claimed = context.user_info.get(IDENTITY) if context is not None else None
    return claimed is None or claimed == Visit(Origin(""), False, token, user).identity
