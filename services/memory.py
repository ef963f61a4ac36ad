"""
`make memory-test FROM=2024-01-01 TO=2024-12-31`, `FILE=candles.csv.gz` or `USER=1`: whether an analyst reads the market
or remembers it.

    make memory-test FILE=candles.csv.gz                      the analyst of this deployment (OPENAI_…), asked now
    make memory-test USER=1                                   about the windows a person's answers rested on
    make memory-test FILE=candles.csv.gz ARGS="--rules"       the bundled rules, which cost nothing

Each window is asked nine times: five times as it was, with its dates years back, its prices times a constant, mirrored,
and with its candles in another order. Who reads the market says the same, the same, the opposite, and something else.
What all questions may cost is estimated, told and asked for first (`--yes` says so beforehand), and never exceeded
(`--most-usd`).
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from lib import bootstrap, log, settings
from lib.bootstrap import BacktestPlan, MemoryOffer, MemoryPlan, Questioned
from lib.domain.account import AccountSettings, RiskLevel
from lib.domain.errors import Halt
from lib.reason_text import said
from services.candles import day_span
from services.local import data_folder, deployment
from services.process import last_line

MOST_WINDOWS = 100_000
TOLD_TIMES = 10


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make memory-test", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--file", type=Path, help="one-minute candles: CSV, JSON, feather, parquet; plain or packed")
    parser.add_argument("--from", type=date.fromisoformat, dest="first", help="the first UTC day, of the library")
    parser.add_argument("--to", type=date.fromisoformat, dest="last", help="the last UTC day; the first when left out")
    parser.add_argument("--user", type=int, help="the id of the person whose windows are asked about")
    parser.add_argument("--symbol", type=str.upper, default="BTCUSDT")
    parser.add_argument("--level", type=RiskLevel, default=RiskLevel.MEDIUM, choices=list(RiskLevel))
    parser.add_argument("--windows", type=_count, default=100, help="evenly spread over the time (100)")
    parser.add_argument("--most-usd", type=_money, default=Decimal(5), help="what all questions may cost (5)")
    parser.add_argument("--rules", action="store_true", help="ask the bundled rules instead of the deployment's model")
    parser.add_argument("--yes", action="store_true", help="ask without asking back")
    return parser.parse_args()


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST_WINDOWS:
        raise argparse.ArgumentTypeError(f"a whole number from 1 to {MOST_WINDOWS}")
    return int(text)


def _money(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(0)
    if not (value.is_finite() and 0 < value < 10_000):
        raise argparse.ArgumentTypeError("USD above 0")
    return value


def main() -> int:
    """Say what it costs, ask, and say what was found."""
    asked = _arguments()
    log.setup("memory", "text", "CRITICAL")
    test = bootstrap.MemoryTest(_plan(asked))
    sys.stdout.write(offered(test.offer, asked.most_usd))
    if test.offer.model and not asked.yes and not _agreed(input):
        raise Halt("nothing was asked")
    found = test.run(lambda done: _heard(done, test.offer.windows))
    sys.stdout.writelines(told(found))
    return 0


def _plan(asked: argparse.Namespace) -> MemoryPlan:
    here = settings.load({**settings.inherited(), "DATA_DIR": str(data_folder())})
    url = deployment().database_url if asked.user is not None else ""
    account = AccountSettings(risk_level=asked.level)
    over = BacktestPlan(account, Decimal(1), asked.symbol, asked.file, asked.user, url)
    if asked.first is not None:
        over = replace(over, span=day_span(asked.first, asked.last or asked.first), deployment=here)
    if not asked.rules:
        here.require("OPENAI_API_KEY")
    return MemoryPlan(over, asked.windows, asked.most_usd, None if asked.rules else here)


def offered(offer: MemoryOffer, most: Decimal) -> str:
    """What will be asked and what it may cost; *Halt* where that is more than allowed."""
    who = offer.model or "the bundled rules"
    line = f"{offer.questions:,} questions to {who} about {offer.windows:,} windows"
    if not offer.model:
        return f"{line}: free\n"
    if offer.usd is None:
        return f"{line}: what it costs is not known (ANALYST_PRICE_INPUT_USD, ANALYST_PRICE_OUTPUT_USD)\n"
    if offer.usd > most:
        raise Halt(f"{line} cost about {offer.usd:.2f} USD, more than {most} (--most-usd, or fewer --windows)")
    return f"{line}: about {offer.usd:.2f} USD, and never more than {most}\n"


def _agreed(ask: Callable[[str], str]) -> bool:
    try:
        return ask("Ask them? yes/no: ").strip().lower() == "yes"
    except EOFError:
        return False


def _heard(done: int, of: int) -> None:
    if done % max(1, of // TOLD_TIMES) == 0:
        sys.stdout.write(f"{done} of {of} windows\n")
        sys.stdout.flush()


def told(questioned: Questioned) -> Iterator[str]:
    """The figures and the sentences, line by line."""
    found = questioned.found
    yield f"\n{questioned.asked:,} questions, {questioned.usd:.4f} USD, {found.windows:,} windows answered"
    yield " (ended by what it may cost)\n\n" if questioned.ended_by_cost else "\n\n"
    yield f"{'':28}{'all':>10}{'no holds':>14}\n"
    for name, one in (
        ("same, asked again", found.steady),
        ("same, other dates", found.dates),
        ("same, other prices", found.prices),
        ("opposite, mirrored", found.mirror),
        ("different, other order", found.order),
    ):
        yield f"{name:28}{one.share:>10.1%}{one.acted_share:>9.1%} of {one.acted}\n"
    yield f"long {found.longs}, short {found.shorts}, hold {found.holds} on the windows and their mirrors\n\n"
    yield from (f"{said(reason, 'en')}\n" for reason in bootstrap.badges(found))


if __name__ == "__main__":
    with last_line("memory"):
        sys.exit(main())
