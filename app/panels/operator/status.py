"""
How the system is: each part now and over a day, candles and their gaps, the request budget in use, and what the analyst
was asked and cost today, by model and by person.
"""

from decimal import Decimal

import streamlit as st

from app.i18n import clock_time, md, t, zone
from app.operators import require_operator
from app.panels.away import patient
from app.system import system
from app.ui.analyst import analyst_name
from app.ui.logs import OUTCOMES, frame
from app.ui.models import usd
from app.ui.strips import strips_html
from app.ui.write import count, duration, exact, money
from lib.domain.health import is_current
from lib.queries import Health, ModelSpend, Spender
from lib.queries.market import age_s, moment

EVERY = 10
COUNTED = ("gaps_filled", "reconnects", "quarantined")
"""Counts of `system:status` since the collector started."""
MOST_LATE = 10
TURNS = ("groups", "calls", "waiting", "longest_wait_ms", "unreached")
"""The trader's figures about the newest cycle's questions, as `system:status` has them."""


def status() -> None:
    """Draw the section."""
    _health()
    _turns()
    _analyst()


@st.fragment(run_every=EVERY)
@patient
def _health() -> None:
    require_operator()
    now_ms, door = system().clock.now_ms(), system().operators
    health = system().readings.health(now_ms)
    with st.container(border=True, key="health"):
        st.subheader(t("room.health"), anchor=False)
        st.html(strips_html(door.ring.points(), now_ms, t))
        if health.problem:
            st.warning(t("room.problem"), icon=":material/report:")
            st.text(health.problem)
        _figures(health)
    with st.container(border=True, key="budget"):
        st.subheader(t("room.budget"), anchor=False)
        for use in door.budget.uses():
            figures = {"used": use.used, "most": use.most, "seconds": use.span_ms // 1000}
            st.progress(min(1.0, use.used / use.most), text=md("room.budget_used", family=use.family, **figures))
            if use.ban_ms:
                st.error(md("room.banned", seconds=-(-use.ban_ms // 1000)), icon=":material/block:")


def _figures(health: Health) -> None:
    told = system().readings.status()
    cells = [
        ("candle_age", _age(health.candle_age_s)),
        ("collector_age", _age(health.collector_age_s)),
        ("trader_age", _age(health.trader_age_s)),
        *((name, told.get(name) or "–") for name in COUNTED),
    ]
    grid = st.grid(columns="auto", min_column_width=150, gap="small")
    for name, value in cells:
        with grid:
            st.metric(t(f"room.{name}"), value, border=True)
    _lists(told)
    if health.last_cycle_ms is not None:
        at = f"{clock_time(health.last_cycle_ms)} {zone().label}"
        st.caption(md("room.last_cycle", at=at, outcome=_outcomes(health.last_cycle_outcome)))


def _outcomes(text: str) -> str:
    """What became of the accounts of a cycle, as the engine counted them ("3 held, 1 bought"), in words."""
    parts = [part.partition(" ") for part in text.split(", ")]
    if not text or any(not count.isdigit() or word not in OUTCOMES for count, _, word in parts):
        return text or "–"
    return ", ".join(f"{t(f'outcome.{word}')} {count}" for count, _, word in parts)


def _lists(told: dict[str, str]) -> None:
    """Every candle list: those that are late by name, all of them in a table."""
    now_ms = system().clock.now_ms()
    held = {field.removeprefix("candles:"): int(told[field]) for field in _kept(told)}
    ages = {name: age_s(now_ms, moment(told.get(f"last_close:{name}"))) for name in held}
    late = [name for name, age in ages.items() if not is_current(name.rpartition(":")[2], age)]
    if late:
        names = ", ".join(name.replace(":", " ") for name in late[:MOST_LATE])
        st.warning(md("room.lists_late", n=len(late), names=names), icon=":material/report:")
    with st.expander(md("room.lists", n=count(len(held)), late=count(len(late)))):
        columns = [t(f"room.list.{name}") for name in ("symbol", "interval", "held", "age", "problem")]
        rows = [
            (*name.split(":"), count(held[name]), _age(ages[name]), told.get(f"problem:{name}", "")) for name in held
        ]
        st.dataframe(frame(columns, rows), hide_index=True, key="lists")


def _kept(told: dict[str, str]) -> list[str]:
    """The fields that say how many candles a list holds."""
    return sorted(name for name, held in told.items() if name.startswith("candles:") and held.isdigit())


def _age(seconds: float | None) -> str:
    if seconds is None:
        return t("room.never")
    unit, number = duration(seconds)
    return t(unit, n=number)


@st.fragment(run_every=EVERY)
@patient
def _turns() -> None:
    """What the newest cycle's groups were to the analyst: how far answers were shared, and who waited."""
    require_operator()
    told = system().readings.status()
    if not told.get("analyst_groups", "").isdigit():
        return
    with st.container(border=True, key="analyst_turns"):
        st.subheader(t("room.turns"), anchor=False)
        grid = st.grid(columns="auto", min_column_width=150, gap="small")
        for name in TURNS:
            with grid:
                st.metric(t(f"room.turns.{name}"), _turn(name, told.get(f"analyst_{name}", "")), border=True)
        st.caption(t("room.turns.note"))


def _turn(name: str, text: str) -> str:
    if not text.isdigit():
        return "–"
    return t("room.turns.seconds", n=exact(Decimal(text) / 1000)) if name == "longest_wait_ms" else count(int(text))


@st.fragment(run_every=60)
@patient
def _analyst() -> None:
    require_operator()
    readings = system().operators.readings
    models, spenders = readings.models(system().feed), readings.spenders(system().feed)
    with st.container(border=True, key="analyst_day"):
        st.subheader(t("room.analyst"), anchor=False)
        shadows = readings.shadow_use()
        st.caption(md("room.shadows", calls=count(shadows.calls), cost=usd(shadows.usd)))
        if not models:
            st.caption(t("room.analyst_none"))
            return
        names = [t(f"room.model.{name}") for name in ("name", "calls", "failed", "tokens", "cost", "latency")]
        st.dataframe(frame(names, [_model(row) for row in models]), hide_index=True, key="models")
        st.caption(t("room.spenders"))
        names = [t(f"room.spender.{name}") for name in ("person", "model", "calls", "tokens", "cost")]
        st.dataframe(frame(names, [_spender(row) for row in spenders]), hide_index=True, key="spenders")
        st.caption(t("room.shared"))


def _model(row: ModelSpend) -> tuple[str, ...]:
    tokens = f"{count(row.prompt_tokens)} + {count(row.completion_tokens)}"
    latency = t("room.ms", ms=row.latency_ms) if row.latency_ms else "–"
    return analyst_name(row.model, t), count(row.calls), count(row.failed), tokens, dollars(row.cost), latency


def _spender(row: Spender) -> tuple[str, ...]:
    calls, tokens = row.spend.calls.quantize(Decimal("0.1")), row.spend.tokens.quantize(Decimal(1))
    return row.email, analyst_name(row.model, t), exact(calls), count(tokens), dollars(row.spend.cost)


def dollars(cost: Decimal | None) -> str:
    """USD; small sums with what means something, a dash where no price is known."""
    if cost is None:
        return "–"
    return f"${count(cost.quantize(Decimal('0.0001')))}" if cost < 1 else f"${money(cost)}"
