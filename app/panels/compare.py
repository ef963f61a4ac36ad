"""Versions beside chance and each other, and one sentence of it for other pages."""

from collections.abc import Sequence
from decimal import Decimal
from html import escape

import streamlit as st

from app.comparison import Told, comparison
from app.i18n import language, md, t
from app.panels.memory import tested_as
from app.ui.compare import Entry, cards_html, pairs_html, tone, version_name
from app.ui.compare_style import COMPARE
from app.ui.reasons import say_sentence
from lib.domain import reason_codes as codes
from lib.domain.reason import Reason
from lib.domain.scores import NOTIONAL
from lib.evidence.verdict import share
from lib.queries import Calls, VersionKey

NO_CALLS = Calls(0, Decimal(0), 0)


def _say(why: Reason) -> str:
    return say_sentence(why, language())


def compared(user_id: int, account_id: int | None) -> None:
    """Everything that is known of the person's versions."""
    found = comparison(user_id, account_id)
    if found is None or not found.versions.judged:
        st.info(t("compare.empty"), icon=":material/hourglass_top:")
        return
    best = _best(found)
    if best is not None:
        st.html(f'{COMPARE}<div class="cmp"><p class="verdict {tone_of(found)}">{escape(_say(best))}</p></div>')
    st.html(f"{COMPARE}{cards_html(_entries(found), t, _say)}")
    if found.versions.pairs:
        st.subheader(t("compare.pairs"), anchor=False)
        st.caption(md("compare.pairs_note"))
        st.html(f"{COMPARE}{pairs_html(found.versions.pairs, t, _say)}")
    if found.one_way:
        st.caption(md("compare.one_way", n=f"{found.one_way:,}"))
    with st.expander(t("compare.how"), icon=":material/info:"):
        st.markdown(md("compare.how_text", notional=f"{NOTIONAL:,}"))


def tone_of(found: Told) -> str:
    """Green where one won, no colour otherwise."""
    return "" if found.versions.winner is None else "up"


def _entries(found: Told) -> list[Entry]:
    newest = next(iter(found.versions.judged))
    running = {key for key in found.traded if key.version_id == newest.version_id}
    return [
        Entry(
            key,
            judged,
            calls=found.calls.get(key, NO_CALLS),
            runs=key in running,
            shadow=key not in found.traded,
            waiting=found.waiting.get(key, 0),
            memory=tested_as(key),
        )
        for key, judged in found.versions.judged.items()
    ]


def _best(found: Told) -> Reason | None:
    """Who of several is ahead; None for one alone."""
    judged, winner = found.versions.judged, found.versions.winner
    if len(judged) < 2:
        return None
    if winner is None:
        return _undecided(found.versions.left, len(judged))
    low = min(one.beyond.low for one in judged[winner].against)
    return codes.EVIDENCE_WINNER(version=_named(winner), tries=len(judged), low=share(low))


def _undecided(left: Sequence[VersionKey], tries: int) -> Reason:
    if not left:
        return codes.EVIDENCE_NONE_LEFT(tries=tries)
    if len(left) == 1:
        return codes.EVIDENCE_ONE_LEFT(version=_named(left[0]), tries=tries)
    return codes.EVIDENCE_NO_WINNER(tries=tries, left=len(left))


def _named(key: VersionKey) -> str:
    return f"{version_name(key, t)} ({key.model})"


def verdict_line(user_id: int, account_id: int | None) -> None:
    """What can be said of the version that answered last, and the way to the page that says why."""
    found = comparison(user_id, account_id)
    if found is None or not found.versions.judged:
        return
    newest, judged = next(iter(found.versions.judged.items()))
    if codes.EVIDENCE_FEW_DECIDED.is_of(judged.reason):
        return  # the card of its scores says so already, of what has ended
    said = f"<b>{escape(_named(newest))}</b><br>{escape(_say(judged.reason))}"
    st.html(f'{COMPARE}<div class="cmp"><p class="verdict {tone(judged)}">{said}</p></div>')
