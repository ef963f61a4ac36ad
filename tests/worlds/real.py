"""Facts with which every gate before real money is open, for tests that close one."""

from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal

from lib.domain.account import RiskLevel, Venue
from lib.domain.preflight import ORDER_CARDS, READ_CARDS, Card, CardResult, PreflightRun
from lib.domain.real_money import DAY_MS, LEAST_DAYS, LEAST_HOURS, LEAST_TRADES, RealCap, RealFacts, RehearsedDay
from lib.domain.reason import NOTHING
from lib.domain.stretch import Criteria, Measured, Stretch, seal_of
from lib.settings import VERSION
from tests.factories import SYMBOL, T
from tests.worlds.examined import AT_BYBIT

TODAY = T // DAY_MS
ALL_CARDS = (*READ_CARDS, *ORDER_CARDS)


def run(
    venue: Venue,
    cards: Collection[Card],
    *,
    version: str = VERSION,
    host: str = "",
    started_ms: int = T - 1,
    uid: str = "1",
) -> PreflightRun:
    """A run in which *cards* were asked and passed."""
    own = AT_BYBIT.get(venue, "http://127.0.0.1").partition("//")[2]
    results = tuple(CardResult(card, True, NOTHING) for card in cards)
    return PreflightRun(venue, uid, host or own, version, SYMBOL, started_ms, results)


SHOWN = Measured(14, 400, Decimal("0.0002"), Decimal("0.0003"), Decimal("0.0001"), Decimal("0.05"), 0, 0)
"""What passes."""


ANSWERING = "test-model"
"""The model of the stretch, which answers in the worlds of tests."""


def passed(now: int = T, *, on_real: bool = True, stretch_id: int = 1, model: str = ANSWERING) -> Stretch:
    """A stretch that was sealed forty days ago and passed."""
    asked = Stretch(stretch_id, 1, 1, 0, on_real, Criteria(model, 14, 100, 1), begun_ms=now - 40 * DAY_MS)
    return replace(asked, seal=seal_of(asked), ended_ms=asked.until_ms + 2 * DAY_MS, measured=SHOWN)


def open_facts(now: int = T) -> RealFacts:
    """An account that has gone the whole way."""
    return RealFacts(
        now=now,
        version=VERSION,
        rehearsals=(run("demo", ALL_CARDS),),
        own=(run("mainnet", ALL_CARDS),),
        days=tuple(RehearsedDay(TODAY - number, LEAST_HOURS, 0, 0) for number in range(LEAST_DAYS)),
        trades=LEAST_TRADES,
        unresolved=0,
        cap=RealCap(1, Decimal(20_000), 1, Decimal(100_000), "cli:ops", now - 1),
        incidents=0,
        has_factor=True,
        has_consent=True,
        rank=0,
        positions=0,
        opened_today=Decimal(0),
        equity=Decimal(100),
        level=RiskLevel.LOW,
        stretches=(passed(now),),
    )


def nothing_known(now: int) -> RealFacts:
    """The facts of an account of which nothing is written down: every gate is closed."""
    return RealFacts(
        now=now, version="", rehearsals=(), own=(), days=(), trades=0, unresolved=0, cap=None, incidents=0,
        has_factor=False, has_consent=False, rank=0, positions=0, opened_today=Decimal(0),
        equity=Decimal(0), level=RiskLevel.HIGH,
    )  # fmt: skip
