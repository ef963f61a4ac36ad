"""What opinions were worth, traded or not: of one decision in sentences, of each strategy's version in a card."""

import streamlit as st

from app.i18n import language, md, t, zone
from app.navigation import COMPARE
from app.panels.compare import verdict_line
from app.session import require_user
from app.system import system
from app.ui.reasons import say_sentence
from app.ui.scores import scores_html, worth_lines
from app.ui.spans import period
from lib.domain.scores import NOTIONAL


def worth(log_id: int) -> None:
    """What the opinion behind the decision *log_id* would have been worth; nothing where no answer stands behind it."""
    found = system().readings.worth(require_user().user_id, log_id)
    if found is None:
        return
    st.caption(t("worth.title"))
    for line in worth_lines(found, t):
        st.text(line)
    _way_to_compare()


def scored(span: str, account_id: int | None) -> None:
    """The scored opinions of a period by version, and the way to the comparison, which a phone has no tab for."""
    since_ms = period(span, system().clock.now_ms(), zone().tz).since_ms
    found = system().readings.version_scores(require_user().user_id, since_ms=since_ms, account_id=account_id)
    if not found:
        _way_to_compare()
        return
    st.subheader(t("scored.title"), anchor=False)
    st.caption(md("scored.note", notional=f"{NOTIONAL:,}"))
    st.html(scores_html(found, t, lambda why: say_sentence(why, language())))
    verdict_line(require_user().user_id, account_id)
    _way_to_compare()


def _way_to_compare() -> None:
    st.page_link("app/pages/compare.py", label=t("scored.compare"), icon=COMPARE.icon)
