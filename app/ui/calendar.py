"""
The days of a period as months of squares, coloured by what each day brought. Markup out; every text is escaped.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from html import escape

from app.ui.tiles import tone_of
from app.ui.write import money, percent, shown, won
from lib.domain.filled import filled
from lib.domain.performance import DayResult
from lib.domain.position import ZERO
from lib.domain.won_rates import WonRates

NO_RATES = WonRates()
SHOWN_MONTHS = 3
"""Months in sight; older ones are folded away."""
STRONGEST, FAINTEST = 62, 12
"""Percent of colour of the best (or worst) day, and of the least."""
Words = Mapping[str, str]
"""*weekdays* (seven, with blanks between, Monday first), *sunday_first* ("yes"), *older*, *month* ({year}, {name}),
*months* (twelve names, with blanks between)."""


def calendar_html(days: Sequence[DayResult], zone: tzinfo, words: Words, rates: WonRates = NO_RATES) -> str:
    """The months that *days* lie in, the newest first; a month in won, too, where *rates* know each of its days."""
    by_date = {datetime.fromtimestamp(day.begins_ms / 1000, zone).date(): day for day in days}
    months = sorted({(day.year, day.month) for day in by_date}, reverse=True)
    most = max((abs(day.result) for day in days), default=ZERO)
    drawn = [_month(year, month, by_date, most, words, rates) for year, month in months]
    seen, folded = drawn[:SHOWN_MONTHS], drawn[SHOWN_MONTHS:]
    more = f"<details><summary>{escape(words['older'])}</summary>{_grid(folded)}</details>" if folded else ""
    return f'<div class="calendar">{_grid(seen)}{more}</div>'


def _grid(months: Sequence[str]) -> str:
    return f'<div class="months">{"".join(months)}</div>'


def _month(
    year: int, month: int, by_date: Mapping[date, DayResult], most: Decimal, words: Words, rates: WonRates
) -> str:
    first, names = date(year, month, 1), words["weekdays"].split()
    late = words["sunday_first"] == "yes"
    heads = [*names[6:], *names[:6]] if late else names
    blanks = (first.weekday() + late) % 7
    cells = [f'<span class="head">{escape(name)}</span>' for name in heads]
    cells += ["<span></span>"] * blanks
    day = first
    while day.month == month:
        cells.append(_day(day, by_date.get(day), most))
        day += timedelta(days=1)
    results = [(one.result, one.begins_ms) for on, one in by_date.items() if (on.year, on.month) == (year, month)]
    total = sum((amount for amount, _ in results), ZERO)
    worth = won(rates.total(results))
    title = escape(filled(words["month"], {"year": year, "name": words["months"].split()[month - 1]}))
    beside = f"<small>{escape(worth)}</small>" if worth else ""
    made = f'{beside}<b class="{tone_of(total)}">{money(total, signed=True)}</b>'
    return f'<div class="month"><p>{title}{made}</p><div class="days">{"".join(cells)}</div></div>'


def _day(day: date, found: DayResult | None, most: Decimal) -> str:
    if found is None:
        return f'<span class="day"><i>{day.day}</i></span>'
    tone = tone_of(found.result)
    strength = FAINTEST + (STRONGEST - FAINTEST) * abs(found.result) / most if most and found.result else ZERO
    hint = f"{day.isoformat()} {money(found.result, signed=True)} USDT ({percent(found.share, signed=True)})"
    return (
        f'<span class="day {tone}" title="{escape(hint)}" style="--strength:{strength:.0f}%">'
        f"<i>{day.day}</i><em>{short_money(found.result)}</em></span>"
    )


def short_money(value: Decimal) -> str:
    """A signed amount that fits a square: +3.2, -45, -1.2k."""
    size = abs(value)
    if size >= 1_000:
        return shown(f"{value / 1_000:+.1f}k" if size < 100_000 else f"{value / 1_000:+.0f}k")
    return shown(f"{value:+.0f}" if size >= 10 or not value else f"{value:+.1f}")
