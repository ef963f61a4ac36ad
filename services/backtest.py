"""
`make backtest FROM=2024-01-01 TO=2024-12-31`, `FILE=candles.csv.gz` or `USER=1`: decisions over candles under other
settings, without asking anybody.

    make backtest FROM=2024-01-01 TO=2024-12-31                          the bundled rules over days of the library
    make backtest FILE=candles.csv.gz                                    the bundled rules over a file
    make backtest USER=1 ARGS="--risk 0.5 --leverage 3 --confidence 0.7"    what a person was answered, other settings
    make backtest USER=1 FILE=candles.csv.gz                             the same over the candles of a file

The library is filled by `make candles`. A person's answers come from DATABASE_URL, or what `make run` runs on this
machine; without days and file their candles are those the answers rested on. Every gate, fee and funding is the
trader's. The figures beside the analyst's are of the same moments with the same stops and targets; p is the share of
coins that did as well. It tells of the past it was run over: whoever tries many settings and keeps the best has found
luck first.
"""

import argparse
import sys
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from lib import bootstrap, log, settings
from lib.bootstrap import Backtest, BacktestPlan, Baselines, Judgement
from lib.domain.account import AccountSettings, RiskLevel
from lib.reason_text import said
from services.candles import add_past, day_span
from services.local import data_folder, deployment
from services.process import last_line

PERCENT = Decimal(100)
CENT = Decimal("0.01")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make backtest", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add_past(parser)
    parser.add_argument("--balance", type=_number, default=Decimal(10_000), help="USDT at the start (10000)")
    parser.add_argument("--level", type=RiskLevel, default=RiskLevel.MEDIUM, choices=list(RiskLevel))
    parser.add_argument("--risk", type=_number, help="percent of equity risked to the stop; stricter than the level's")
    parser.add_argument("--leverage", type=int, default=10, help="at most (10)")
    parser.add_argument("--confidence", type=_number, help="the least that trades, 0 to 1")
    parser.add_argument("--cadence", type=int, default=5, choices=(5, 15, 60), help="minutes between decisions (5)")
    parser.add_argument("--long-only", action="store_true")
    return parser.parse_args()


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(0)
    if not (value.is_finite() and 0 < value < 10**9):
        raise argparse.ArgumentTypeError("a number above 0")
    return value


def main() -> int:
    """Replay and say what came of it."""
    asked = _arguments()
    log.setup("backtest", "text", "CRITICAL")
    account = AccountSettings(
        risk_level=asked.level,
        max_leverage=asked.leverage,
        long_only=asked.long_only,
        risk_per_trade=asked.risk / PERCENT if asked.risk else None,
        min_confidence=asked.confidence,
        cadence_min=asked.cadence,
    )
    url = deployment().database_url if asked.user is not None else ""
    plan = BacktestPlan(account, asked.balance, asked.symbol, asked.file, asked.user, url)
    if asked.first is not None:
        here = settings.load({**settings.inherited(), "DATA_DIR": str(data_folder())})
        plan = replace(plan, span=day_span(asked.first, asked.last or asked.first), deployment=here)
    found = bootstrap.backtest(plan)
    sys.stdout.write(told(found, asked.balance))
    return 0


def told(judgement: Judgement, start: Decimal) -> str:
    """The summary as text."""
    found = judgement.backtest
    record, books = found.record, found.books
    earned = record.curve[-1] / start - 1
    counts = {outcome: record.outcomes.count(outcome) for outcome in sorted(set(record.outcomes))}
    trips = books.rounds_won + books.rounds_lost
    lines = [
        f"from {_day(record.times[0])} to {_day(record.times[-1])}: {found.candles} candles, {found.asked} decisions",
        "",
        f"return        {_percent(earned)}   holding the coin {_percent(found.held - 1)}",
        f"drawdown      {_fell(found)}",
        f"trades        {trips}, {books.rounds_won} won",
        f"money         realised {_money(books.realised)}, fees {_money(books.fees)}, funding {_money(books.funding)}",
        f"decisions     {', '.join(f'{count} {name}' for name, count in counts.items())}",
        f"locks         {len(record.locks)}",
        "",
    ]
    if (beside := found.beside) is not None:
        lines += [
            f"{beside.count} opinions, each by itself, net of all costs, mean in % of the notional:",
            f"analyst       {beside.own:+.3%}{_within(beside)}",
            f"instead       coins {beside.coin:+.3%}, always long {beside.long:+.3%}, always short {beside.short:+.3%}",
            f"p             {beside.p:.3f} of 1,000 coins did as well, {beside.p_moments:.3f} of blind entries",
        ]
    if (verdict := judgement.verdict) is not None:
        counted = f"{verdict.decisions} decisions in {verdict.days} days, holds as nothing"
        lines.append(f"verdict       {said(verdict.reason, 'en')} ({counted})")
    return "\n".join(lines) + "\n"


def _fell(found: Backtest) -> str:
    fall = found.fall
    if fall is None:
        return "none"
    return f"{_percent(-fall.fraction)} from {_day(fall.top.t_ms)} to {_day(fall.bottom.t_ms)}"


def _within(beside: Baselines) -> str:
    found = beside.interval
    return f"   95 %: {found.low:+.3%} to {found.high:+.3%}, over {found.blocks} days" if found else "   too few days"


def _percent(share: Decimal) -> str:
    return f"{(share * PERCENT).quantize(CENT):+f} %"


def _money(amount: Decimal) -> str:
    return f"{amount.quantize(CENT):+f}"


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


if __name__ == "__main__":
    with last_line("backtest"):
        sys.exit(main())
