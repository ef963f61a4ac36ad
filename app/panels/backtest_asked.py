"""
What was asked before: how far what runs is, and what came of the others. Looked at again while one is not over.
"""

from collections.abc import Mapping
from decimal import Decimal

import streamlit as st

from app.i18n import language, md, t
from app.panels.away import patient
from app.panels.telling import tell
from app.past_page import days, limits
from app.session import require_user
from app.system import system
from app.ui.models import model_label
from app.ui.plain import plain
from app.ui.quarantine import spent
from app.ui.reasons import say
from app.ui.write import count, percent
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.backtests import ENDED, FREE, Wish
from lib.queries import BacktestLine

EVERY = 2.0
SHOWN = 8
_OPEN = "_bt_open"


def asked_before(user: SessionUser) -> None:
    """Draw what runs, then what is over."""
    lines = system().readings.backtests(user.user_id)
    running = [line for line in lines if line.state not in ENDED]
    st.session_state[_OPEN] = [line.job_id for line in running]
    if running:
        _running()
    over = [line for line in lines if line.state in ENDED]
    if not over:
        return
    with st.expander(md("bt.before", n=len(over)), key="bt_before", expanded=False):
        models = labels(user)
        for line in over[:SHOWN]:
            _line(user, line, what(line.wish, models))


@st.fragment(run_every=EVERY)
@patient
def _running() -> None:
    user = require_user()
    lines = system().readings.backtests(user.user_id)
    running = [line for line in lines if line.state not in ENDED]
    if [line.job_id for line in running] != st.session_state.get(_OPEN):
        st.rerun(scope="app")
    models = labels(user)
    for line in running:
        with st.container(border=True, key=f"bt_running_{line.job_id}"):
            st.text(what(line.wish, models))
            progress(line)
            key = f"bt_cancel_{line.job_id}"
            st.button(t("bt.cancel"), key=key, disabled=user.read_only, on_click=_cancel, args=(line.job_id,))


def progress(line: BacktestLine) -> None:
    """How far it is, at which stage, and what its questions cost so far."""
    done = line.done / line.whole if line.whole else 0.0
    waits = line.state == "queued"
    told = t("bt.waits") if waits else md("bt.runs", share=percent(Decimal(str(round(done, 3))), places=0))
    if line.stage:
        told = f"{t(f'bt.stage_{line.stage}')} · {told}"
    st.progress(min(done, 1.0), text=told)
    if line.calls:
        st.caption(plain(spent(line.calls, line.usd, t)))


def labels(user: SessionUser) -> dict[str, str]:
    """The models the person may choose, as people call them, by their names on the list."""
    choices = system().models.choices(user.user_id, is_guest=user.is_guest)
    return {one.profile.name: model_label(one.profile) for one in choices}


def what(wish: Wish, models: Mapping[str, str]) -> str:
    """A question in a line; *models* are labels by names."""
    asked = "" if wish.kind in FREE else f" · {models.get(wish.model, wish.model)}"
    under = t("bt.windows", n=count(wish.windows)) if wish.kind == "memory" else limits(wish)
    return f"{t(f'bt.kind_{wish.kind}')}{asked} · {wish.symbol} · {days(wish)} · {under}"


def _line(user: SessionUser, line: BacktestLine, asked: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"bt_line_{line.job_id}"):
        earned = "" if line.earned is None else f"  {percent(line.earned, signed=True)}"
        with st.container(width="stretch", gap=None):
            st.text(asked + earned)
            if line.state == "failed":
                st.caption(plain(say(line.why, language())))
            elif line.state == "cancelled":
                st.caption(t("bt.cancelled"))
        if line.wish.kind not in FREE and line.state in ("cancelled", "failed"):
            key, off = f"bt_again_{line.job_id}", user.read_only or user.is_guest
            st.button(t("bt.again"), key=key, disabled=off, on_click=_again, args=(line.wish,))
        if line.state == "done":
            st.button(t("bt.open"), key=f"bt_open_{line.job_id}", on_click=_open, args=(line.job_id,))
        st.button(
            t("bt.delete"), key=f"bt_delete_{line.job_id}", type="tertiary", disabled=user.read_only,
            on_click=_delete, args=(line.job_id,), help=t("bt.delete_note"),
        )  # fmt: skip


def _open(job_id: int) -> None:
    st.query_params["run"] = str(job_id)


def _again(wish: Wish) -> None:
    made = system().quarantine.again(require_user(), wish)
    tell(made if isinstance(made, Refusal) else None, t("bt.asked"))


def _cancel(job_id: int) -> None:
    tell(system().backtests.cancel(require_user(), job_id), t("bt.cancelling"))


def _delete(job_id: int) -> None:
    tell(system().backtests.delete(require_user(), job_id), t("bt.deleted"))
