"""
Strategies shared by a link: what runs is shared as it stands, under a name of the person's choosing or none; links can
be taken back. Whoever is signed in here opens a link and takes a copy.
"""

import streamlit as st

from app.i18n import clock_time, md, t
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from app.ui.strategy_lines import strategy_lines, strategy_name
from lib.accounts.refusal import Refusal
from lib.accounts.strategies import LONGEST_CODE, LONGEST_SHOWN
from lib.accounts.web import SessionUser
from lib.domain.strategy import LONGEST_NAME, SharedStrategy, Strategy, StrategyVersion

_LINK = "_shared_link"
QUERY = "shared"


def shared(user: SessionUser, running: StrategyVersion | None) -> None:
    """Draw both halves: my links, and somebody's."""
    left, right = st.columns(2, gap="medium")
    with left:
        _mine(user, running)
    with right:
        _theirs(user)


def _mine(user: SessionUser, running: StrategyVersion | None) -> None:
    st.markdown(f"**{md('strat.share_mine')}**")
    st.caption(t("refuse.guest" if user.is_guest else "strat.share_note"))
    if running is None:
        st.caption(t("strat.share_none"))
    else:
        cannot = user.read_only or user.is_guest
        st.text_input(t("strat.shown_as"), key="shown_as", max_chars=LONGEST_SHOWN, disabled=cannot)
        st.button(t("strat.share_make"), key="share_make", disabled=cannot, on_click=_make, args=(running.version_id,))
    if code := st.session_state.get(_LINK):
        st.caption(t("strat.share_once"))
        base = (st.context.url or "").split("?")[0].removesuffix("/strategy")
        st.code(f"{base}/strategy?{QUERY}={code}", language=None, wrap_lines=True)
    for one in system().readings.strategy_shares(user.user_id):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            shown = one.shown_as or t("strat.nameless")
            st.text(f"{strategy_name(one.name, t)} #{one.number} · {shown} · {clock_time(one.made_ms)[:10]}")
            st.button(
                t("strat.unshare"), key=f"unshare_{one.share_id}", disabled=user.read_only,
                on_click=_end, args=(one.share_id,),
            )  # fmt: skip


def _make(version_id: int) -> None:
    made = system().strategies.share(require_user(), version_id, str(st.session_state.get("shown_as") or ""))
    if isinstance(made, Refusal):
        tell(made, "")
    else:
        st.session_state[_LINK] = made.code
        tell(None, t("strat.share_made"))


def _end(share_id: int) -> None:
    if tell(system().strategies.unshare(require_user(), share_id), t("strat.unshared")):
        st.session_state.pop(_LINK, None)


def _theirs(user: SessionUser) -> None:
    st.markdown(f"**{md('strat.share_theirs')}**")
    asked = st.query_params.get(QUERY, "")
    if "shared_code" not in st.session_state and asked:
        st.session_state["shared_code"] = asked[:LONGEST_CODE]
    typed = str(st.text_input(t("strat.code"), key="shared_code", max_chars=200) or "")
    code = typed.rsplit("=", 1)[-1].strip()
    if not code:
        return
    found = system().strategies.shared(code)
    if found is None:
        st.caption(t("refuse.strategy.gone"))
        return
    _shown(user, found)


def _shown(user: SessionUser, found: SharedStrategy) -> None:
    name = strategy_name(found.name, t)
    st.text(t("strat.shared_by", name=name, who=found.shown_as or t("strat.nameless")))
    st.code(strategy_lines(found.content, t), language=None, wrap_lines=True)
    st.button(t("strat.take"), key="take_shared", disabled=user.read_only, on_click=take, args=(name, found.content))


def take(name: str, content: Strategy) -> None:
    """Keep *content* among the person's strategies; it is the one that is looked at next."""
    user = require_user()
    made = system().strategies.create(user, name[:LONGEST_NAME], content)
    if tell(made if isinstance(made, Refusal) else None, t("strat.taken")):
        st.session_state["strategy"] = max(one.strategy_id for one in system().readings.strategies(user.user_id))
