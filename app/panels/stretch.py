"""
The stretch of evidence before real money: its criteria, how far it is, what it showed; beginning, and doing without.
Its parts serve the step before it, from paper to demo trading, too.

The page writes neither its beginning nor its end: who judges does. Criteria come from the record so far.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict

import streamlit as st

from app.comparison import criteria_of_running
from app.i18n import clock_time, language, md, t
from app.panels.step_up import is_proved, proof
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from app.ui.plain import plain
from app.ui.reasons import say_sentence
from lib.accounts.real_money import OVERRIDES
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.real_money import AHEAD_MS, RealGate
from lib.domain.stretch import DAY_MS, OVERRIDE_LIFE_MS, Criteria, Stretch, stretch_refusal
from lib.domain.venues import CAPABILITIES
from lib.queries.real import RealStanding


def stretch(user: SessionUser, stand: RealStanding) -> None:
    """The card, within the list of gates or by itself."""

    def ask(criteria: Criteria) -> Refusal | None:
        return system().real_money.begin(require_user(), stand.account_id, criteria)

    is_among_gates = CAPABILITIES[stand.venue].has_real_money
    st.markdown(f"**{t('stretch.title' if is_among_gates else 'stretch.before_real')}**")
    st.caption(t("stretch.note"))
    newest = newest_and_next(user, stand.stretches, ask)
    if newest is not None and (newest.ended_ms or newest.is_sealed):
        _without(user, stand, newest)


def newest_and_next(
    user: SessionUser, stretches: Sequence[Stretch], ask: Callable[[Criteria], Refusal | None]
) -> Stretch | None:
    """The newest of *stretches*, which is returned, as it stands; and while none is under way, what *ask*s for one."""
    newest = stretches[0] if stretches else None
    if newest is not None:
        standing(newest)
    if newest is None or newest.ended_ms:
        _begin(user, len(stretches), ask)
    return newest


def standing(one: Stretch) -> None:
    """What *one* has to show, and how far it is or what it showed."""
    now = system().clock.now_ms()
    st.caption(md("stretch.criteria", **asdict(one.criteria)))
    if not one.begun_ms:
        st.caption(t("stretch.waits"))
        return
    st.caption(md("stretch.sealed", seal=one.seal[:12]))
    if one.overridden_ms and now - one.overridden_ms <= OVERRIDE_LIFE_MS:
        ends = clock_time(one.overridden_ms + OVERRIDE_LIFE_MS)
        st.warning(md("stretch.overridden", date=ends), icon=":material/warning:")
    elif one.ended_ms:
        why = stretch_refusal([one], now, now + AHEAD_MS)
        if why:
            st.warning(plain(say_sentence(why, language())), icon=":material/error:")
        else:
            st.markdown(f":green[{t('stretch.passed')}]")
    elif now >= one.until_ms:
        st.caption(t("stretch.judging"))
    else:
        done = min(one.criteria.days, max(0, (now - one.first_ms) // DAY_MS))
        st.progress(done / one.criteria.days, text=t("stretch.days", done=done, all=one.criteria.days))


def _begin(user: SessionUser, before: int, ask: Callable[[Criteria], Refusal | None]) -> None:
    """What one that begins now, after *before* others, would have to show, and the button that *ask*s for it."""
    criteria = criteria_of_running(user.user_id, before + 1)
    if criteria is None:
        st.caption(t("stretch.no_record"))
        return
    if before:
        st.markdown(f"**{t('stretch.next')}**")
    st.caption(md("stretch.criteria", **asdict(criteria)))
    if st.button(t("stretch.begin"), key="stretch_begin", disabled=user.read_only):
        tell(ask(criteria), t("stretch.begun"))
        st.rerun()


def _without(user: SessionUser, stand: RealStanding, one: Stretch) -> None:
    has_factor = all(each.is_open for each in stand.gates if each.gate is RealGate.SECOND_FACTOR)
    is_shut = any(not each.is_open for each in stand.gates if each.gate is RealGate.EVIDENCE)
    is_needed = CAPABILITIES[stand.venue].has_real_money  # elsewhere nothing waits for it
    if not (is_needed and has_factor and is_shut) or user.read_only:
        return
    with st.expander(t("stretch.without")):
        note = t("stretch.without_note", sentence=OVERRIDES[language()])
        if (typed := sentence(user, "stretch", note)) is not None:
            tell(system().real_money.override(require_user(), one.stretch_id, typed), t("stretch.done_without"))
            st.rerun()


def sentence(user: SessionUser, name: str, note: str) -> str | None:
    """What *user* typed to do without evidence, as *note* asks for it, after proving who they are; None until then."""
    if not is_proved(user):
        proof(user, f"proof_{name}")
        return None
    with st.form(f"{name}_override", border=False):
        st.text(note)
        typed = st.text_input(t("real.sentence"), key=f"{name}_sentence", autocomplete="off")
        return typed if st.form_submit_button(t("stretch.do_without")) else None
