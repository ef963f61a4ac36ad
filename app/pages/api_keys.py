"""
The exchange key: what it must and must not be able to do, where it trades, how to put one in, have it
checked again and take it out.

The key is checked with the exchange before it is sealed; after that this page knows four of its characters.
"""

import streamlit as st

from app.i18n import clock_time, language, md, t, zone
from app.panels.asked import asked
from app.panels.before_key import before_key
from app.panels.checked_key import checked_key
from app.panels.choices import still
from app.panels.demo_step import demo_step
from app.panels.real_money import real_money
from app.panels.refused_key import refused_key
from app.panels.step_up import is_proved, proof, want
from app.panels.telling import tell
from app.panels.top import title, top
from app.session import require_user
from app.system import system
from app.ui import live
from app.ui.cockpit import seen_settings
from app.ui.reasons import say_sentence
from lib.accounts.refusal import Refusal
from lib.accounts.trading import KeySaved
from lib.accounts.web import SessionUser
from lib.domain.account import Venue
from lib.domain.venues import CAPABILITIES
from lib.queries import KeyStatus

MUST = ("trade", "read_write", "unified")
MUST_NOT = ("withdraw", "transfer")
FIELDS = ("api_key", "api_secret")


def _held(user: SessionUser, status: KeyStatus) -> None:
    with st.container(border=True, key="held"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader(t("key.held"), anchor=False)
            st.badge(t(f"venue.{status.venue}"), color="orange", icon=":material/account_balance:")
        st.code(status.masked, language=None)
        st.caption(md("key.since", at=clock_time(status.created_ms), zone=zone().label))
        for doubt in status.doubts:
            st.info(t(f"doubt.{doubt}"), icon=":material/help:")
        if not status.trading_enabled:
            st.warning(t("key.paused"), icon=":material/pause_circle:")
            st.text(say_sentence(status.pause_reason, language()) or t("key.by_owner"))
            if st.button(t("key.resume"), key="resume", disabled=user.read_only):
                tell(system().trading.resume(require_user()), t("key.resumed"))
        if st.button(t("key.recheck"), key="recheck", icon=":material/refresh:", disabled=user.read_only):
            tell(system().trading.recheck_key(require_user()), t("key.rechecking"))
        _rechecked()
        with st.popover(t("key.delete"), icon=":material/delete:", disabled=user.read_only, key="delete"):
            st.text(t("key.delete_sure"))
            if st.button(t("key.delete_yes"), key="delete_yes", type="primary", disabled=user.read_only):
                tell(system().trading.delete_key(require_user()), t("key.deleted"))
                st.rerun()


@st.fragment
def _rechecked() -> None:
    readings, user_id = system().readings, require_user().user_id
    live.follow("settings", seen_settings(readings.settings(user_id), readings.command(user_id)))
    asked("recheck_key", "recheck")


def _checklist() -> None:
    with st.container(border=True, key="checklist"):
        st.subheader(t("key.checklist"), anchor=False)
        for name in MUST:
            st.markdown(f":green[:material/check_circle:] {t(f'key.must_{name}')}")
        for name in MUST_NOT:
            st.markdown(f":red[:material/cancel:] {t(f'key.never_{name}')}")
        for venue in _venues():
            label = md("key.page", venue=t(f"venue.{venue}"))
            st.link_button(label, system().key_pages[venue], icon=":material/open_in_new:", width="stretch")
        if known := system().addresses:
            st.caption(t("key.bind"))
            st.code("\n".join(known), language=None)
        st.caption(t("key.sealed"))


def _save() -> None:
    user = require_user()
    api_key, api_secret = (str(st.session_state.get(name, "")).strip() for name in FIELDS)
    answer = system().trading.save_key(user, st.session_state["venue"], api_key, api_secret)
    # neither stays in the session's memory, whatever the answer was
    for name in FIELDS:
        st.session_state[name] = ""
    st.session_state["key_refusal"] = answer if isinstance(answer, Refusal) else None
    st.session_state["key_checked"] = answer if isinstance(answer, KeySaved) else None
    if isinstance(answer, Refusal):
        want(answer)
        # why stands beside the form, where it stays; a toast would make markup of what the exchange wrote
        st.toast(t("key.not_saved"), icon=":material/block:", duration="long")
        return
    held = system().readings.key_status(user.user_id)
    tell(None, t("key.saved") if held is None or held.trading_enabled else t("key.saved_paused"))


def _venues() -> list[Venue]:
    """Where a key of one's own can trade here."""
    return [venue for venue in system().venues if not CAPABILITIES[venue].opens_accounts]


def _form(user: SessionUser) -> None:
    venues = _venues()
    with st.container(border=True, key="enter"):
        st.subheader(t("key.enter"), anchor=False)
        if not venues:
            st.info(t("key.only_paper"), icon=":material/science:")
            return
        before_key(user)
        if not user.read_only and not is_proved(user):
            proof(user, "proof_key")  # before anything is typed that would be refused
            return
        with st.form("key_form", border=False):
            st.segmented_control(
                t("key.venue"),
                venues,
                default=venues[0],
                format_func=lambda one: t(f"venue.{one}"),
                key=still("venue"),
                required=True,
                disabled=user.read_only,
            )
            st.text_input(t("key.api_key"), key="api_key", autocomplete="off", disabled=user.read_only)
            st.text_input(
                t("key.api_secret"), key="api_secret", type="password", autocomplete="off", disabled=user.read_only
            )
            st.form_submit_button(t("key.save"), type="primary", disabled=user.read_only, on_click=_save)
        if (refusal := st.session_state.get("key_refusal")) is not None:
            refused_key(refusal)
        if (saved := st.session_state.get("key_checked")) is not None:
            checked_key(saved, system().clock.now_ms())


signed_in = require_user()
top(signed_in, title("page.api_keys"))
left, right = st.columns([1.4, 1], gap="small")
with left:
    if (held := system().readings.key_status(signed_in.user_id)) is not None:
        _held(signed_in, held)
        demo_step(signed_in)
        real_money(signed_in)
    _form(signed_in)
with right:
    _checklist()
