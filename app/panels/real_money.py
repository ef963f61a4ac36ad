"""
What stands between a person and real money, gate by gate, and the consent that is one of them.

Reads what the claim reads. The page decides nothing: an entry with real money is judged where it is claimed.
"""

import streamlit as st

from app.i18n import language, t
from app.panels.step_up import is_proved, proof
from app.panels.stretch import stretch
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from app.ui.plain import plain
from app.ui.reasons import say_sentence
from lib.accounts.real_money import SENTENCES
from lib.accounts.web import SessionUser
from lib.domain.real_money import REHEARSALS, RealGate, Standing
from lib.domain.venues import CAPABILITIES
from lib.queries.real import RealStanding


def real_money(user: SessionUser) -> None:
    """The list, and where it is the person's turn the consent."""
    stand = system().readings.real_money(user.user_id, system().clock.now_ms())
    if stand is None:
        return
    if stand.venue in REHEARSALS:
        with st.container(border=True, key="stretch"):
            stretch(user, stand)
    if not CAPABILITIES[stand.venue].has_real_money:
        return
    with st.container(border=True, key="real_money"):
        st.subheader(t("real.title"), anchor=False)
        open_gates = sum(each.is_open for each in stand.gates)
        st.caption(t("real.note"))
        st.progress(open_gates / len(stand.gates), text=t("real.progress", done=open_gates, all=len(stand.gates)))
        for each in stand.gates:
            _gate(each)
        st.divider()
        stretch(user, stand)
        st.divider()
        _consent(user, stand)


def _gate(each: Standing) -> None:
    if each.is_open:
        st.markdown(f":green[:material/check_circle:] **{t(f'real.gate.{each.gate.value}')}**")
        return
    with st.container(gap=None):
        st.markdown(f":gray[:material/lock:] **{t(f'real.gate.{each.gate.value}')}**")
        st.caption(plain(say_sentence(each.why, language())))


def _consent(user: SessionUser, stand: RealStanding) -> None:
    if stand.consented:
        if st.button(t("real.withdraw"), key="real_withdraw", disabled=user.read_only):
            tell(system().real_money.withdraw(require_user()), t("real.withdrawn"))
            st.rerun()
        return
    is_turn = all(each.is_open for each in stand.gates if each.gate is RealGate.SECOND_FACTOR)
    if not is_turn or user.read_only:
        return
    if not is_proved(user):
        proof(user, "proof_real")
        return
    sentence = SENTENCES[language()]
    with st.form("real_consent", border=False):
        st.text(t("real.type", sentence=sentence))
        typed = st.text_input(t("real.sentence"), key="real_sentence", autocomplete="off")
        if st.form_submit_button(t("real.consent"), type="primary"):
            tell(system().real_money.consent(require_user(), stand.account_id, typed), t("real.consented"))
            st.rerun()
