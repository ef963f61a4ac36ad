"""
Personal tokens of programs, on the settings page: made, shown once, taken back.

A new token is shown in the run that made it and is kept nowhere; making one wants a proof of the last five minutes.
"""

import streamlit as st

from app.i18n import clock_time, md, t
from app.panels.choices import still
from app.panels.step_up import is_proved, proof
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.api_token import LIFETIMES, LONGEST_NAME, SCOPES, ApiToken


def tokens(user: SessionUser) -> None:
    """Draw the section; nothing for who only looks, and for guests."""
    if user.read_only or user.is_guest:
        return
    with st.container(border=True, key="tokens"):
        st.subheader(t("tokens.title"), anchor=False)
        st.caption(t("tokens.note"))
        for one in system().readings.api_tokens(user.user_id):
            _token(one)
        with st.expander(t("tokens.new"), icon=":material/add:"):
            if is_proved(user):
                _new()
            else:
                proof(user, "tokens_proof")


def _token(one: ApiToken) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"token_{one.id}"):
        with st.container(width="stretch", gap=None):
            st.text(one.name)
            used = clock_time(one.used_ms)[5:-3] if one.used_ms else t("tokens.unused")
            st.caption(md("tokens.line", used=used, ends=clock_time(one.expires_ms)[:10]))
        st.badge(t(f"tokens.{one.scope}"), color="orange" if one.scope == "control" else "gray")
        if st.button(t("tokens.revoke"), key=f"revoke_{one.id}"):
            refusal = system().tokens.revoke(require_user(), one.id)
            if tell(refusal, t("tokens.revoked")):
                st.rerun()


def _new() -> None:
    with st.form("new_token", border=False, clear_on_submit=True):
        name = st.text_input(t("tokens.name"), max_chars=LONGEST_NAME, key="token_name")
        scope = st.segmented_control(
            t("tokens.scope"), SCOPES, format_func=lambda one: t(f"tokens.{one}"), default="read", required=True,
            key=still("token_scope"),
        )  # fmt: skip
        labels = {n: t("tokens.n_days", n=n) for n in LIFETIMES}
        days = st.selectbox(
            t("tokens.days"), LIFETIMES, index=1, format_func=labels.__getitem__, key=still("token_days")
        )
        wanted = st.form_submit_button(t("tokens.make"), width="stretch")
    if not wanted:
        return
    made = system().tokens.make(require_user(), name, scope, days)
    if isinstance(made, Refusal):
        tell(made, "")
        return
    st.warning(t("tokens.once"), icon=":material/key:")
    st.code(made.secret, language=None, wrap_lines=True)
