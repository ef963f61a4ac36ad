"""
The question: whose decisions, which symbol and days, which limits. Nothing happens before its button is pressed.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import streamlit as st

from app.i18n import md, t
from app.panels.choices import still
from app.panels.past_form import PLACE, ask_about, found_of, whom
from app.panels.telling import tell
from app.session import require_user
from app.system import system
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.account import CADENCES, RISK_PROFILES, AccountSettings, RiskLevel
from lib.domain.backtests import MOST_DAYS, MOST_LEVERAGE, Kind, Wish
from lib.domain.day import DAY_MS
from lib.queries import OwnAccount

COLUMN, WIDE = 155, 300
"""Pixels: two fields beside each other on a phone; two dates."""
USUAL_DAYS: dict[Kind, int] = {"model": 1}
"""Where it is another number than a month."""
_EPOCH = date(1970, 1, 1)


def form(user: SessionUser) -> None:
    """Draw it: the question to the left, the limits to the right, its button under both."""
    chosen = system().readings.settings(user.user_id)
    settings = AccountSettings() if chosen is None else chosen.settings
    mine, off = _accounts(user), user.read_only
    with st.container(border=True, key="bt_form"):
        left, right = st.columns(2, gap="medium")
        with left:
            kind = _kind(bool(mine))
            _days(kind, off=off)
            with st.grid(columns="auto", min_column_width=COLUMN, gap="small"):
                _what(mine, kind, off=off)
                _number("bt_balance", t("bt.balance"), 10_000.0, (100.0, 10_000_000.0, 100.0), off=off)
        with right:
            version_id = _asked(user, off=off) if kind == "model" else _carried_out(settings, kind, off=off)
        st.caption(t(f"bt.note_{kind}"))
        if kind == "model":
            ask_about(user, version_id, _exact(st.session_state["bt_balance"]))
            return
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            icon = ":material/play_arrow:"
            st.button(t("bt.start"), key="bt_start", type="primary", icon=icon, disabled=off, on_click=_start)
            if off:
                st.caption(t("refuse.read_only"))


def _asked(user: SessionUser, *, off: bool) -> int:
    with st.grid(columns="auto", min_column_width=COLUMN, gap="small"):
        version_id = whom(user, off=off)
    found_of(user, version_id)
    return version_id


def _carried_out(settings: AccountSettings, kind: Kind, *, off: bool) -> int:
    _level(settings, off=off)
    with st.grid(columns="auto", min_column_width=COLUMN, gap="small"):
        _limits(settings, kind, off=off)
    st.toggle(t("strategy.long_only"), key="bt_long_only", value=settings.long_only, disabled=off)
    return 0


def _accounts(user: SessionUser) -> list[OwnAccount]:
    """Those that live by the prices there are here."""
    return [one for one in system().readings.own_accounts(user.user_id) if one.feed == system().feed]


def _level(settings: AccountSettings, *, off: bool) -> None:
    st.segmented_control(
        t("control.risk_level"),
        list(RiskLevel),
        format_func=lambda one: t(f"risk.{one.value}"),
        key=still("bt_level"),
        default=settings.risk_level,
        required=True,
        disabled=off,
    )


def _kind(has_account: bool) -> Kind:
    options: list[Kind] = ["rules", "answers", "model"] if has_account else ["rules", "model"]
    said = st.segmented_control(
        t("bt.kind"), options, format_func=lambda one: t(f"bt.pick_{one}"), key=still("bt_kind"),
        default="rules", required=True, label_visibility="collapsed",
    )  # fmt: skip
    return said if said in options else "rules"


def _what(mine: list[OwnAccount], kind: Kind, *, off: bool) -> None:
    if kind == "answers" and len(mine) > 1:
        names = {one.id: f"{t(f'venue.{one.venue}')} · #{one.id}" for one in mine}
        st.selectbox(
            t("results.account"),
            list(names),
            format_func=lambda one: names.get(one, str(one)),
            key=still("bt_account"),
            disabled=off,
        )
    st.selectbox(t("bt.symbol"), list(system().symbols), key="bt_symbol", disabled=off)


def _today() -> date:
    return datetime.fromtimestamp(system().clock.now_ms() / 1000, UTC).date()


def _days(kind: Kind, *, off: bool) -> None:
    last = _today() - timedelta(days=1)
    usual = (last - timedelta(days=USUAL_DAYS.get(kind, 30) - 1), last)
    key = f"{PLACE}_days" if kind == "model" else "bt_days"
    st.date_input(
        t("bt.days"), usual, key=key, max_value=last, min_value=date(2020, 3, 25),
        help=md("bt.days_note", most=MOST_DAYS[kind]), disabled=off, width=WIDE,
    )  # fmt: skip


def _limits(settings: AccountSettings, kind: Kind, *, off: bool) -> None:
    level = RISK_PROFILES[st.session_state.get("bt_level") or settings.risk_level]
    with st.container(gap=None):
        leverage = min(settings.max_leverage, MOST_LEVERAGE)
        st.number_input(t("control.max_leverage"), 1, MOST_LEVERAGE, leverage, key="bt_leverage", disabled=off)
        st.caption(md("control.capped", leverage=level.leverage_cap))
    with st.container(gap=None):
        most = float(level.risk_per_trade * 100)
        _number("bt_risk", t("strategy.own_risk"), most, (0.05, 2.0, 0.05), off=off)
        st.caption(md("bt.at_most", value=f"{most:g}%"))
    with st.container(gap=None):
        least = float(level.min_confidence * 100)
        _number("bt_confidence", t("strategy.own_confidence"), least, (0.0, 100.0, 1.0), off=off)
        st.caption(md("bt.at_least", value=f"{least:g}%"))
    if kind == "rules":
        st.selectbox(
            t("strat.cadence"),
            CADENCES,
            format_func=lambda one: t("strat.minutes", n=one),
            key=still("bt_cadence"),
            disabled=off,
        )


def _number(key: str, label: str, usual: float, bounds: tuple[float, float, float], *, off: bool) -> None:
    least, most, step = bounds
    written = "%g" if step < 1 else "%.0f"
    st.number_input(label, least, most, usual, step, key=key, format=written, disabled=off)


def _start() -> None:
    user, days = require_user(), st.session_state.get("bt_days")
    if not isinstance(days, tuple) or len(days) != 2:
        st.toast(t("bt.days_both"), icon=":material/block:")
        return
    made = system().backtests.ask(user, _wish(user, days))
    if isinstance(made, Refusal):
        tell(made, "")
    else:
        st.query_params["run"] = str(made.job_id)
        tell(None, t("bt.asked"))


def _wish(user: SessionUser, days: tuple[date, date]) -> Wish:
    state: Any = st.session_state
    kind: Kind = "answers" if state.get("bt_kind") == "answers" else "rules"
    accounts = _accounts(user)
    account = state.get("bt_account") or (accounts[0].id if accounts else 0)
    wish = Wish(
        kind,
        str(state["bt_symbol"]),
        (days[0] - _EPOCH).days * DAY_MS,
        ((days[1] - _EPOCH).days + 1) * DAY_MS,
        balance=_exact(state["bt_balance"]),
        level=RiskLevel(state["bt_level"]),
        leverage=int(state["bt_leverage"]),
        risk=_exact(state["bt_risk"]) / 100,
        confidence=_exact(state["bt_confidence"]) / 100,
        long_only=bool(state["bt_long_only"]),
    )
    return replace(wish, account_id=account) if kind == "answers" else replace(wish, cadence_min=state["bt_cadence"])


def _exact(value: float) -> Decimal:
    """A widget's float as its shortest digits say it."""
    return Decimal(f"{value:g}") if value < 1_000 else Decimal(str(round(value, 2)))
