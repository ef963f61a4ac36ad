"""
`make candles SYMBOL=BTCUSDT FROM=2024-01-01 TO=2024-12-31`: the candle library, filled from the feed's public REST.

    make candles                                             what the library has
    make candles SYMBOL=BTCUSDT FROM=2024-01-01 TO=2024-06-30    these days and the rest of their months, if missing
    make candles FILE=candles.csv.gz                         what a file has, in any form a replay reads

One-minute candles of FEED, by month, as Parquet under DATA_DIR/candles, named by the hash of what they say. Whoever is
interrupted goes on at the next month; a damaged file is put away and asked for again. Gaps are told, never filled up.
"""

import argparse
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from lib import bootstrap, log, settings
from lib.bootstrap import Footage, Library
from services.local import data_folder
from services.process import last_line

SHOWN = 20
"""Gaps that are named one by one."""


def main(words: list[str] | None = None) -> None:
    """Fill, take a file, or list."""
    parser = argparse.ArgumentParser(
        prog="make candles", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--symbol", type=str.upper, default="BTCUSDT")
    parser.add_argument("--from", type=date.fromisoformat, dest="first", help="the first UTC day")
    parser.add_argument("--to", type=date.fromisoformat, dest="last", help="the last UTC day; today when left out")
    parser.add_argument("--file", type=Path, help="a candle file, taken in instead of asking the feed")
    asked = parser.parse_args(words)
    log.setup("candles", "text", "WARNING")
    loaded = settings.load({**settings.inherited(), "DATA_DIR": str(data_folder())})
    library = bootstrap.candle_library(loaded)
    if asked.file is not None:
        say(told(bootstrap.taken_file(library, asked.symbol, asked.file)))
    elif asked.first is not None:
        span = day_span(asked.first, asked.last or datetime.now(UTC).date())  # noqa: TID251 - a terminal's own day
        library.fill(asked.symbol, span, _progress)
        say(told(library.read(asked.symbol, span)))
    else:
        say(_listed(library, asked.symbol))


def say(text: str) -> None:
    """*text* as lines of their own."""
    sys.stdout.write(f"{text}\n")


def add_past(parser: argparse.ArgumentParser) -> None:
    """The words by which a command is told which past it looks at."""
    parser.add_argument("--file", type=Path, help="one-minute candles: CSV, JSON, feather, parquet; plain or packed")
    parser.add_argument("--from", type=date.fromisoformat, dest="first", help="the first UTC day, of the library")
    parser.add_argument("--to", type=date.fromisoformat, dest="last", help="the last UTC day; the first when left out")
    parser.add_argument("--user", type=int, help="the id of the person whose answers are replayed")
    parser.add_argument("--symbol", type=str.upper, default="BTCUSDT")


def day_span(first: date, last: date) -> tuple[int, int]:
    """Both UTC days and all between them, in epoch ms."""
    return _ms(first), _ms(last + timedelta(days=1))


def told(footage: Footage) -> str:
    """What there is, and what is missing."""
    candles = footage.candles
    since, until = (_minute(ms) for ms in footage.span)
    lines = [
        f"{footage.symbol}, {since} to {until} UTC: {len(candles):,} candles, {footage.missing:,} minutes without one",
        *(f"  {one.month}  {one.digest}" for one in footage.months),
        f"  from {', '.join(footage.sources) or 'nowhere'}",
        *(f"  gap {_minute(since)} to {_minute(until)}" for since, until in footage.gaps[:SHOWN]),
    ]
    if len(footage.gaps) > SHOWN:
        lines.append(f"  and {len(footage.gaps) - SHOWN:,} gaps more")
    return "\n".join(lines)


def _listed(library: Library, symbol: str) -> str:
    months = library.shelf.months(symbol)
    rows = [f"  {one.month}  {one.digest}" for one in months]
    return "\n".join([f"{symbol}: {len(months)} months", *rows])


def _progress(done: int, whole: int) -> bool:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done:,} of {whole:,} minutes" + ("\n" if done == whole else ""))
    return True


def _ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def _minute(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


if __name__ == "__main__":
    with last_line("candles"):
        main()
