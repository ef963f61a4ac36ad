"""
The memory test of a version: what it found stands beside the version, and another is asked for here.

What it costs is told first; nothing is asked before a person confirms it within a cap of theirs.
"""

from collections.abc import Sequence

import streamlit as st

from app.i18n import clock_time, language, md, t
from app.panels.away import patient
from app.panels.backtest_asked import EVERY, progress
from app.panels.choices import still
from app.panels.past_asking import asking
from app.session import require_user
from app.system import system
from app.ui.memory import Badge, answered_by, asked_before, badge
from app.ui.models import model_label
from app.ui.reasons import say_sentence
from lib.accounts.quarantine import PastWish
from lib.accounts.web import SessionUser
from lib.domain.backtests import ENDED, LEAST_WINDOWS, MOST_WINDOWS
from lib.domain.model_profile import ModelProfile, cutoff_ms
from lib.domain.quarantine import days_to_remember
from lib.domain.reason import Reason
from lib.queries import BacktestLine, MemoryResult, VersionKey

STEP = 50
COLUMN = 220
"""Pixels: two fields beside each other on a desk's screen, one on a phone."""


def _say(why: Reason) -> str:
    return say_sentence(why, language())


def profiles(user: SessionUser) -> dict[str, ModelProfile]:
    """The models the person may choose, by their names on the list."""
    choices = system().models.choices(user.user_id, is_guest=user.is_guest)
    return {one.profile.name: one.profile for one in choices}


def memory_badges(user: SessionUser, version_id: int) -> None:
    """What is known of *version_id* (0 = the original design), a line for each model it was tested as."""
    found = [one for one in system().readings.memory_tests(user.user_id) if one.version_id == version_id]
    if found:
        _lines(found, profiles(user))


def _lines(found: Sequence[MemoryResult], known: dict[str, ModelProfile]) -> None:
    names = {name: one.model for name, one in known.items()}
    for one in found:
        told = badge(one, t, _say, is_current=one.is_current(names))
        label = model_label(known[one.model]) if one.model in known else t("model.gone", name=one.model)
        with st.container(gap=None):
            st.badge(told.short, color=told.colour, icon=":material/psychology:")
            st.caption(md("mem.line", model=label, at=clock_time(one.tested_ms)[:10], said=told.said))


def memory_test(user: SessionUser, version_id: int, own: str) -> None:
    """What was found of *version_id*, whose own first model is *own*, and another test of it."""
    memory_badges(user, version_id)
    with st.expander(t("mem.title"), key=f"memory_of_{version_id}", icon=":material/psychology:"):
        st.caption(t("mem.about"))
        if _running_of(user, version_id) is not None:
            _under_way(version_id)
        known = profiles(user)
        with st.grid(columns="auto", min_column_width=COLUMN, gap="small"):
            names = list(known)
            model = st.selectbox(
                t("model.model"), names, names.index(own) if own in names else 0,
                key=still(f"memory_model_{version_id}"),
                format_func=lambda one: model_label(known[one]) if one in known else one, filter_mode=None,
                disabled=user.read_only,
            )  # fmt: skip
            windows = st.number_input(
                t("mem.windows"), LEAST_WINDOWS, MOST_WINDOWS, LEAST_WINDOWS, STEP, key=f"memory_windows_{version_id}",
                disabled=user.read_only,
            )  # fmt: skip
        asking(user, _wish(version_id, known[model], int(windows)), f"memory_{version_id}")


def _wish(version_id: int, model: ModelProfile, windows: int) -> PastWish:
    since, until = days_to_remember(cutoff_ms(model.cutoff), system().clock.now_ms())
    return PastWish("memory", version_id, model.name, system().symbols[0], since, until, windows=windows)


def _running_of(user: SessionUser, version_id: int) -> BacktestLine | None:
    lines = system().readings.backtests(user.user_id)
    return next((one for one in lines if _is_of(one, version_id)), None)


@st.fragment(run_every=EVERY)
@patient
def _under_way(version_id: int) -> None:
    """How far the test is, until it is over and what it found can stand there."""
    line = _running_of(require_user(), version_id)
    if line is None:
        st.rerun(scope="app")
    st.markdown(f"**{md('mem.runs')}**")
    progress(line)
    st.page_link("app/pages/backtest.py", label=t("page.backtest"), icon=":material/arrow_forward:")


def _is_of(line: BacktestLine, version_id: int) -> bool:
    return line.state not in ENDED and line.wish.kind == "memory" and line.wish.version_id == version_id


def running_version(user: SessionUser) -> int:
    """The number of the version that trades, 0 = the original design."""
    running = system().readings.running_strategy(user.user_id)
    return 0 if running is None else running.version_id


def tested_as(key: VersionKey) -> Badge | None:
    """What a memory test found of *key*, a version and the model that answered for it; None without one."""
    user = require_user()
    found = system().readings.memory_tests(user.user_id)
    if not found:
        return None
    if (one := answered_by(found, key.version_id, key.model)) is not None:
        return badge(one, t, _say, is_current=True)
    names = {name: profile.model for name, profile in profiles(user).items()}
    old = asked_before(found, key.version_id, key.model, names)
    return None if old is None else badge(old, t, _say, is_current=False)
