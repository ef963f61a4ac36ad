"""The gates before real money: each is closed by its own fact, a cap shrinks by itself and grows by a person alone."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain import reason_codes as codes
from lib.domain.account import RiskLevel
from lib.domain.preflight import ORDER_CARDS, READ_CARDS, Card, CardResult, PreflightRun
from lib.domain.real_money import (
    AHEAD_MS,
    CAP_LIFE_MS,
    DAY_MS,
    EXAMINED_LIFE_MS,
    LEAST_HOURS,
    RealCap,
    RealFacts,
    RealGate,
    RehearsedDay,
    clean_days,
    read_cap,
    real_money_refusal,
    standings,
)
from lib.domain.reason import NOTHING, Reason
from tests.factories import SYMBOL, T
from tests.worlds.real import TODAY, nothing_known, open_facts, run

D = Decimal
ALL = (*READ_CARDS, *ORDER_CARDS)


def why(**changes: Any) -> Reason:
    return real_money_refusal(replace(open_facts(), **changes))


def test_with_everything_in_order_every_gate_is_open() -> None:
    assert real_money_refusal(open_facts()) == NOTHING
    assert all(each.is_open for each in standings(open_facts()))


def test_with_nothing_known_every_gate_is_closed_in_the_order_people_reach_them() -> None:
    found = standings(nothing_known(T))
    assert [each.gate for each in found] == list(RealGate)
    assert not any(each.is_open for each in found)


# --- the cards, on demo or testnet, by this version ------------------------------------------------------------------


@pytest.mark.parametrize(
    "rehearsals",
    [
        (),
        (run("demo", ALL, version="0.0.9"),),
        (run("demo", READ_CARDS),),
        (run("demo", ALL[:-1]),),
        (run("mainnet", ALL),),
        (run("paper", ALL),),
        (run("demo", ALL, host="127.0.0.1"),),
        (run("demo", ALL, started_ms=T + AHEAD_MS + 1),),
    ],
)
def test_all_cards_must_have_passed_in_rehearsal_by_this_version(rehearsals: tuple[PreflightRun, ...]) -> None:
    assert why(rehearsals=rehearsals) == codes.REAL_CARDS_LACKING()


def test_the_testnet_is_a_rehearsal_too_and_an_old_one_stays_one() -> None:
    assert why(rehearsals=(run("testnet", ALL, started_ms=T - 90 * DAY_MS),)) == NOTHING


# --- clean days ------------------------------------------------------------------------------------------------------


def days(*marks: str) -> tuple[RehearsedDay, ...]:
    """Newest first: ok, few (hours), off (a difference), bad (an incident), gap (no such day)."""
    made = {
        "ok": (LEAST_HOURS, 0, 0),
        "few": (LEAST_HOURS - 1, 0, 0),
        "off": (LEAST_HOURS, 1, 0),
        "bad": (LEAST_HOURS, 0, 1),
    }
    return tuple(RehearsedDay(TODAY - n, *made[mark]) for n, mark in enumerate(marks) if mark != "gap")


@pytest.mark.parametrize(
    ("marks", "count"),
    [
        ((), 0),
        (("ok",) * 9, 9),
        (("few", *("ok",) * 7), 7),
        (("few", "few", "ok"), 0),
        (("ok", "off", "ok"), 1),
        (("ok", "bad", "ok"), 1),
        (("off", "ok"), 0),
        (("bad",), 0),
        (("ok", "gap", "ok"), 1),
        (("gap", "gap", "ok", "ok"), 2),
    ],
)
def test_clean_days_are_counted_in_a_row_from_the_newest(marks: tuple[str, ...], count: int) -> None:
    assert clean_days(days(*marks)) == count


def test_a_day_with_few_hours_and_a_flaw_is_no_day_just_begun() -> None:
    assert clean_days((RehearsedDay(TODAY, 1, 1, 0), *days("gap", "ok"))) == 0


def test_a_week_of_clean_days_and_three_trades_are_needed_and_no_order_of_unknown_end() -> None:
    assert why(days=days(*("ok",) * 6)) == codes.REAL_DAYS_LACKING(days=6, least=7)
    assert why(trades=2) == codes.REAL_TRADES_LACKING(trades=2, least=3)
    assert why(unresolved=1) == codes.REAL_REHEARSAL_UNRESOLVED()


# --- the person ------------------------------------------------------------------------------------------------------


def test_the_second_factor_must_be_on() -> None:
    assert why(has_factor=False) == codes.REAL_NO_FACTOR()


def test_the_person_must_have_consented() -> None:
    assert why(has_consent=False) == codes.REAL_NO_CONSENT()


# --- the account -----------------------------------------------------------------------------------------------------


def test_this_account_needs_a_preflight_of_the_last_day() -> None:
    canary = run("mainnet", ALL, started_ms=T - 5 * DAY_MS)
    assert why(own=()) == codes.REAL_PREFLIGHT_LACKING()
    assert why(own=(canary,)) == codes.REAL_PREFLIGHT_OLD()
    assert why(own=(run("mainnet", READ_CARDS, started_ms=T - EXAMINED_LIFE_MS), canary)) == NOTHING
    assert (
        why(own=(run("mainnet", READ_CARDS, started_ms=T - EXAMINED_LIFE_MS - 1), canary)) == codes.REAL_PREFLIGHT_OLD()
    )
    assert why(own=(run("mainnet", ALL, started_ms=T + AHEAD_MS + 1), canary)) == codes.REAL_PREFLIGHT_LACKING()


def test_the_newest_preflight_counts_and_anything_that_failed_in_it() -> None:
    good = run("mainnet", ALL, started_ms=T - 2)
    assert why(own=(good, run("mainnet", READ_CARDS[:-1], started_ms=T - 1))) == codes.REAL_PREFLIGHT_FAILED()
    assert why(own=(run("mainnet", ALL, host="127.0.0.1"),)) == codes.REAL_PREFLIGHT_FAILED()
    failed = replace(good, results=(*good.results, CardResult(Card.CANCEL, False, NOTHING)), started_ms=T - 1)
    assert why(own=(failed, good)) == codes.REAL_PREFLIGHT_FAILED()


def test_a_canary_flew_on_this_account_by_this_version() -> None:
    fresh = run("mainnet", READ_CARDS)
    assert why(own=(fresh,)) == codes.REAL_CANARY_LACKING()
    assert why(own=(fresh, run("mainnet", ALL, version="0.0.9", started_ms=T - 9))) == codes.REAL_CANARY_LACKING()
    assert why(own=(fresh, run("mainnet", ALL, started_ms=T - 9 * DAY_MS))) == NOTHING


# --- the cap ---------------------------------------------------------------------------------------------------------

CAP = RealCap(2, D(200), 2, D(100), "cli:ops", T - DAY_MS)


def test_an_operators_cap_is_needed_and_holds_for_a_week() -> None:
    assert why(cap=None) == codes.REAL_CAP_LACKING()
    assert why(cap=replace(CAP, written_ms=T + AHEAD_MS + 1)) == codes.REAL_CAP_LACKING()
    assert why(cap=replace(CAP, written_ms=T - CAP_LIFE_MS)) == NOTHING
    assert why(cap=replace(CAP, written_ms=T - CAP_LIFE_MS - 1)) == codes.REAL_CAP_OVER()


@pytest.mark.parametrize(
    ("changes", "closed"),
    [
        ({"level": RiskLevel.MEDIUM}, codes.REAL_LEVEL_TOO_HIGH()),
        ({"level": RiskLevel.HIGH}, codes.REAL_LEVEL_TOO_HIGH()),
        ({"rank": 2}, codes.REAL_CAP_ACCOUNTS(most=2)),
        ({"equity": D("200.01")}, codes.REAL_CAP_EQUITY(equity=D("200.01"), most=200)),
        ({"positions": 2}, codes.REAL_CAP_POSITIONS(most=2)),
        ({"opened_today": D(60), "notional": D("40.01")}, codes.REAL_CAP_DAY(asked=D("100.01"), most=100)),
        ({"opened_today": D(100)}, codes.REAL_CAP_DAY(asked=100, most=100)),
    ],
)
def test_nothing_passes_the_cap(changes: Any, closed: Reason) -> None:
    assert why(cap=CAP, **changes) == closed


def test_up_to_the_cap_all_is_taken() -> None:
    assert why(cap=CAP, rank=1, equity=D(200), positions=1, opened_today=D(60), notional=D(40)) == NOTHING


def test_a_cap_shrinks_by_each_incident_and_ends_with_the_third() -> None:
    assert CAP.after(0) == CAP
    assert CAP.after(1) == replace(CAP, equity=D(100), a_day=D(50), positions=1)
    assert CAP.after(2) == replace(CAP, equity=D(50), a_day=D(25), positions=1)
    assert CAP.after(3) == CAP.after(9) == replace(CAP, equity=D(0), a_day=D(0), positions=1)
    assert why(cap=CAP, incidents=1, equity=D(101)) == codes.REAL_CAP_EQUITY(equity=101, most=100)
    assert why(cap=CAP, incidents=3, equity=D(0)) == codes.REAL_INCIDENTS(incidents=3)


@given(st.integers(0, 20), st.integers(0, 20))
def test_more_incidents_never_leave_more(fewer: int, more: int) -> None:
    small, large = CAP.after(max(fewer, more)), CAP.after(min(fewer, more))
    assert (small.equity, small.a_day, small.positions) <= (large.equity, large.a_day, large.positions)


@given(
    equity=st.decimals(0, 300, places=2),
    opened=st.decimals(0, 150, places=2),
    notional=st.decimals(0, 150, places=2),
    incidents=st.integers(0, 4),
    rank=st.integers(0, 4),
    positions=st.integers(0, 4),
)
def test_whatever_is_taken_lies_within_what_is_left_of_the_cap(
    equity: Decimal, opened: Decimal, notional: Decimal, incidents: int, rank: int, positions: int
) -> None:
    facts = replace(
        open_facts(), cap=CAP, equity=equity, opened_today=opened, notional=notional, incidents=incidents, rank=rank,
        positions=positions,
    )  # fmt: skip
    if not real_money_refusal(facts):
        left = CAP.after(incidents)
        assert equity <= left.equity
        assert opened + notional <= left.a_day
        assert rank < left.accounts
        assert positions < left.positions


@given(st.data())
def test_no_fact_that_is_missing_opens_anything(data: st.DataObject) -> None:
    """Between nothing and everything known, every gate stays closed whose fact is missing."""
    blank, full = nothing_known(T), open_facts()
    names = ("rehearsals", "own", "days", "has_factor", "has_consent", "cap", "level")
    taken = {name for name in names if data.draw(st.booleans(), label=name)}
    facts = replace(full, **{name: getattr(blank, name) for name in names if name not in taken})
    assert (real_money_refusal(facts) == NOTHING) == (taken == set(names))


def test_a_cap_is_written_with_every_part() -> None:
    assert read_cap(1, D(200), 1, D(100), "cli:ops") == RealCap(1, D(200), 1, D(100), "cli:ops")
    wrong: list[tuple[Any, ...]] = [
        (0, D(1), 1, D(1)), (101, D(1), 1, D(1)), (1, D(0), 1, D(1)), (1, D(1), 0, D(1)), (1, D(1), 101, D(1)),
        (1, D(1), 1, D(-1)), (1, D("NaN"), 1, D(1)), (1, D("Infinity"), 1, D(1)), (1, D(1_000_001), 1, D(1)),
    ]  # fmt: skip
    for parts in wrong:
        with pytest.raises(ValueError, match="a cap has"):
            read_cap(parts[0], parts[1], parts[2], parts[3], "cli:ops")


def test_a_run_names_its_symbol() -> None:
    assert run("demo", ALL).symbol == SYMBOL
    assert isinstance(open_facts(), RealFacts)
