"""
The rows a Korean tax form is filled from: one for each position that was closed, dated in Korean time.

Won stand beside USDT at the rate that holds on the UTC day a position was closed; the row says which rate that is and
since when. A day without a rate has no won, and the row says that. It is no tax advice, and says so.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from lib.domain.won_rates import WonRate, WonRates, since
from lib.queries import EXPORTS, Column

KST = timezone(timedelta(hours=9))
TAX = (
    Column("date", "text"),
    Column("opened", "text"),
    Column("closed", "text"),
    Column("venue", "text"),
    Column("symbol", "text"),
    Column("side", "text"),
    Column("qty", "money"),
    Column("entry_price", "money"),
    Column("exit_price", "money"),
    Column("gross", "money"),
    Column("fees", "money"),
    Column("funding", "money"),
    Column("net", "money"),
    Column("rate", "money"),
    Column("rate_day", "text"),
    Column("gross_krw", "money"),
    Column("costs_krw", "money"),
    Column("net_krw", "money"),
    Column("note", "text"),
)
"""Its columns; their headings are the catalogue's, `tax.…`."""
_PLACE = {column.name: number for number, column in enumerate(EXPORTS["trips"])}
_SAME = ("venue", "symbol", "side", "qty", "entry_price", "exit_price", "gross", "fees", "funding", "net")


def tax_parts(
    parts: Iterable[Sequence[Sequence[Any]]], rates: WonRates, words: Mapping[str, str]
) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of *parts* (the export of trips) as the tax file has them; the first says what the file is not."""
    note = words["tax.disclaimer"]
    for part in parts:
        rows = []
        for row in part:
            rows.append(_tax_row(row, rates, words, note))
            note = ""
        yield rows


def _tax_row(row: Sequence[Any], rates: WonRates, words: Mapping[str, str], note: str) -> tuple[Any, ...]:
    same = {name: row[_PLACE[name]] for name in _SAME}
    same["side"] = words[f"position.{same['side']}"]
    closed = _korean(row[_PLACE["closed_ms"]])
    costs = same["fees"] - same["funding"]
    rate = rates.at(row[_PLACE["closed_ms"]])
    if rate is None:
        won: list[Any] = [None] * 5
        note = " ".join(part for part in (note, words["tax.no_rate"]) if part)
    else:
        amounts = (same["gross"], costs, same["net"])
        won = [rate.krw, since(rate) or words["tax.always"], *(_whole_won(amount, rate) for amount in amounts)]
    return (closed[:10], _korean(row[_PLACE["opened_ms"]]), closed, *same.values(), *won, note)


def _whole_won(amount: Decimal, rate: WonRate) -> Decimal:
    return (amount * rate.krw).quantize(Decimal(1), ROUND_HALF_UP)


def _korean(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, KST).strftime("%Y-%m-%d %H:%M:%S")
