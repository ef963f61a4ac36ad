"""
How the account did over a period: figures, the curve beside holding and doing nothing, days, round trips, every row.

Period, account and table stand in the address. What was read is used again for a moment, so that turning a page of a
table does not read a year.
"""

import time

import streamlit as st

from app.i18n import t, zone
from app.navigation import BACKTEST
from app.panels.accounts import chosen_account
from app.panels.choices import still
from app.panels.linked import from_address, into_address
from app.panels.result_tables import tables
from app.panels.results import files, pictures
from app.panels.scores import scored
from app.panels.top import title, top
from app.session import keepsake, require_user
from app.system import system
from app.ui.spans import SPANS, USUAL, period
from lib.queries import OwnAccount, Results

FRESH_S = 15.0


def _refilter(name: str, usual: str) -> None:
    into_address(name, usual)
    st.query_params.pop("at", None)


def _chosen(accounts: list[OwnAccount]) -> tuple[str, int | None]:
    from_address("period", list(SPANS), USUAL)
    with st.container(horizontal=True, vertical_alignment="center", key="period_row"):
        span = st.segmented_control(
            t("filter.span"),
            list(SPANS),
            format_func=lambda one: t(f"period.{one}"),
            key=still("period"),
            required=True,
            label_visibility="collapsed",
            on_change=_refilter,
            args=("period", USUAL),
        )
        chosen = chosen_account(accounts, _refilter)
        files()
    return str(span or USUAL), chosen


def _results(user_id: int, span: str, account_id: int | None) -> Results | None:
    kept, asked = keepsake(), (span, account_id, zone().label)
    known = kept.get("results")
    if isinstance(known, tuple) and known[0] == asked and time.monotonic() < known[1]:
        found: Results | None = known[2]
        return found
    when = period(span, system().clock.now_ms(), zone().tz)
    found = system().readings.results(user_id, since_ms=when.since_ms, bounds=when.bounds, account_id=account_id)
    kept["results"] = (asked, time.monotonic() + FRESH_S, found)
    return found


user = require_user()
top(user, title("page.results"))
mine = system().readings.own_accounts(user.user_id)
if not mine:
    st.info(t("tiles.none"), icon=":material/account_balance_wallet:")
    st.page_link("app/pages/dashboard.py", label=t("page.dashboard"), icon=":material/arrow_forward:")
    st.stop()
chosen_span, account = _chosen(mine)
waiting = st.skeleton(height=380)
shown = _results(user.user_id, chosen_span, account)
waiting.empty()
if shown is not None:
    pictures(shown)
    scored(chosen_span, account)
    st.page_link("app/pages/backtest.py", label=t("results.backtest"), icon=BACKTEST.icon)
    tables(user, shown)
