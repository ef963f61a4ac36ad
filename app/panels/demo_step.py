"""
The lowest step of the ladder, from paper to demo trading: what is judged, what is missed and what to do next.

On paper a stretch is begun here; in demo trading the card says whether auto-trading may be switched on, and how to do
without. It decides nothing: the switch judges itself.
"""

import streamlit as st

from app.i18n import clock_time, language, md, t
from app.panels.stretch import newest_and_next, sentence, standing
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from app.ui.plain import plain
from app.ui.reasons import say_sentence
from lib.accounts.demo_step import WITHOUT
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.stretch import Criteria
from lib.domain.venues import CAPABILITIES
from lib.queries.demo_step import DemoStanding


def demo_step(user: SessionUser) -> None:
    """The card, for who is on paper or in demo trading; nothing for others."""
    stand = system().readings.demo_step(user.user_id, system().clock.now_ms())
    if stand is None or not _leads_on(stand):
        return
    with st.container(border=True, key="demo_step"):
        st.subheader(t("demo_step.title"), anchor=False)
        st.caption(t("demo_step.note"))
        if stand.waits:
            _waiting(user, stand)
        else:
            _paper(user, stand)


def _leads_on(stand: DemoStanding) -> bool:
    """Whether there is a step to take from here: a server where nothing waits for paper has none."""
    return stand.waits or any(CAPABILITIES[venue].waits_for_paper for venue in system().venues)


def _paper(user: SessionUser, stand: DemoStanding) -> None:
    def ask(criteria: Criteria) -> Refusal | None:
        return system().demo_step.begin(require_user(), stand.account_id, criteria)

    if not stand.can_learn:
        st.info(t("demo_step.made_up"), icon=":material/science:")
        return
    st.caption(t("stretch.note"))
    newest_and_next(user, stand.stretches, ask)


def _waiting(user: SessionUser, stand: DemoStanding) -> None:
    newest = stand.stretches[0] if stand.stretches else None
    if stand.overridden_until_ms:
        st.warning(md("demo_step.overridden", date=clock_time(stand.overridden_until_ms)), icon=":material/warning:")
    elif not stand.why:
        st.markdown(f":green[:material/check_circle: {t('demo_step.open')}]")
    elif newest is None or not newest.ended_ms:  # one that is over says itself what it lacks
        st.warning(plain(say_sentence(stand.why, language())), icon=":material/lock:")
    if newest is not None:
        standing(newest)
    if stand.is_on:
        st.caption(t("demo_step.on"))
    elif stand.why:
        st.markdown(t("demo_step.next" if _has_paper() else "demo_step.next_without"))
        _without(user)


def _without(user: SessionUser) -> None:
    if user.read_only:
        return
    with st.expander(t("demo_step.without")):
        note = t("demo_step.without_note", sentence=WITHOUT[language()])
        if (typed := sentence(user, "demo", note)) is not None:
            tell(system().demo_step.override(require_user(), typed), t("demo_step.done_without"))
            st.rerun()


def _has_paper() -> bool:
    return any(CAPABILITIES[venue].opens_accounts for venue in system().venues)
