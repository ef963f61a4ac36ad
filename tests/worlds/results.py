"""A month of results of plain values, for pages and routes: trips, a curve, days, transfers, made by the domain."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from lib.domain.equity import Mark
from lib.domain.performance import buy_and_hold, day_results, deepest_fall, do_nothing, falls, performance
from lib.domain.position import Side
from lib.domain.round_trips import Execution, Intent, Trips, round_trips
from lib.domain.won_rates import WonRate, WonRates
from lib.queries import AnalystCost, BookedFill, CurvePoint, OwnAccount, Results, TransferRow

D = Decimal
ZERO = D(0)
DAY_MS = 86_400_000
END_MS = 1_790_000_100_000
FIRST_MS = END_MS - 29 * DAY_MS


def account(user_id: int) -> OwnAccount:
    """The person's account, whose number is ten times theirs."""
    return OwnAccount(
        id=user_id * 10, venue="paper", feed="synthetic", symbol="BTCUSDT", active=True, start_balance=D(10_000),
        realised=D("456.38"), fees=D("12.5"), funding=D("-0.7"), transfers=D(500), last_transfer_ms=FIRST_MS,
        difference=ZERO, checked_ms=END_MS, opened_ms=FIRST_MS - 60_000,
    )  # fmt: skip


def executions(user_id: int) -> list[Execution]:
    """Twenty trips, a winner after each loser, long and short; each of the person's *user_id* own size."""
    rows: list[Execution] = []
    for number in range(20):
        at_ms, long = FIRST_MS + number * DAY_MS + number % 5 * 3_600_000, number % 3 != 0
        made = D(user_id * (7 + number)) if number % 2 else D(-user_id * (5 + number))
        stop, target = (D(63_000), D(66_000)) if long else (D(65_000), D(62_000))
        entry = Intent(
            "e", at_ms, 5 + number % 4, stop, target, log_id=number + 1, confidence=D("0.62") + D(number) / 60
        )
        side: Side = "buy" if long else "sell"
        back: Side = "sell" if long else "buy"
        price = D(64_000) + made / D("0.031") * (1 if long else -1)
        opens = Execution(
            number * 2 + 1, at_ms, "BTCUSDT", side, D("0.031"), D(64_000), D("1.09"), ZERO, "trade", False, entry
        )
        closes = replace(
            opens, fill_id=number * 2 + 2, at_ms=at_ms + 7_200_000, side=back, price=price, realised=made,
            is_stop=not number % 2, order=None if number % 4 == 3 or not number % 2 else replace(entry, leg="x"),
        )  # fmt: skip
        rows += [opens, closes]
    return rows


def trips(user_id: int) -> Trips:
    return round_trips(executions(user_id))


def marks() -> list[Mark]:
    """A point a day: a dip, a deposit of 500 in the middle."""
    return [
        Mark(
            FIRST_MS + day * DAY_MS,
            D(10_000 + day * 12 - day % 7 * 31 + (500 if day > 14 else 0)),
            D(500 if day > 14 else 0),
        )
        for day in range(30)
    ]


def results(
    user_id: int, *, since_ms: int = 0, bounds: Sequence[int] = (), account_id: int | None = None
) -> Results | None:
    """What `ResultReadings.results` answers."""
    mine = account(user_id)
    if account_id not in (None, mine.id):
        return None
    curve = marks()
    prices = {mark.t_ms: D(64_000 + number * 40) for number, mark in enumerate(curve)}
    points = zip(curve, do_nothing(curve), buy_and_hold(curve, prices), falls(curve), strict=True)
    closed = trips(user_id).closed
    before = [next((mark for mark in reversed(curve) if mark.t_ms < bound), None) for bound in bounds]
    return Results(
        account=mine,
        since_ms=since_ms,
        begin=curve[0],
        end=curve[-1],
        points=tuple(CurvePoint(mark.t_ms, mark.equity, idle, hold, fall) for mark, idle, hold, fall in points),
        deepest=deepest_fall(curve),
        days=tuple(day_results(bounds, before, mine.start_balance)),
        transfers=(TransferRow(1, FIRST_MS + 14 * DAY_MS, "deposit", D(500), f"t-{user_id}"),),
        trips=closed,
        open=(),
        figures=performance(closed),
        cost=AnalystCost(8_640, 8_640, D("1.2345")),
        rates=WonRates(platform=(WonRate(None, D(1390)),)),
    )


def booked(number: int, *, funding: bool = False) -> BookedFill:
    """Execution *number* of a table."""
    return BookedFill(
        id=number, at_ms=END_MS - number * 3_600_000, symbol="BTCUSDT", side="buy" if number % 2 else "sell",
        qty=ZERO if funding else D("0.031"), price=D(64_000 + number), fee=D("0.12") if funding else D("1.09"),
        realised=ZERO, kind="funding" if funding else "trade", is_stop=number % 3 == 0 and not funding,
        exec_id=f"e-{number}", order_link_id="", charges=(),
    )  # fmt: skip
