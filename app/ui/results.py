"""
The numbers of a period: tiles, lists of figures, comparisons as bars. Values in, text and markup out, all escaped.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from html import escape
from typing import Any

from app.ui.tiles import Tile, tone_of
from app.ui.write import count, duration, money, percent, plus, won
from lib.domain.performance import Performance
from lib.queries import Results

Word = Callable[..., str]
HUNDREDTH, HALF_TENTH = Decimal("0.01"), Decimal("0.05")


def ratio(value: Decimal | None) -> str:
    """A plain number to two places."""
    return "–" if value is None else count(value.quantize(HUNDREDTH, ROUND_HALF_EVEN))


def held(milliseconds: int | None, word: Word) -> str:
    """How long, by its two greatest units."""
    if milliseconds is None:
        return "–"
    key, number = duration(milliseconds / 1000)
    rest = milliseconds // 1000 - number * {"age.days": 86_400, "age.hours": 3_600}.get(key, milliseconds)
    if key in ("age.days", "age.hours") and rest >= 60:
        small, left = duration(rest)
        return f"{word(key, n=number)} {word(small, n=left)}"
    return word(key, n=number)


def result_tiles(found: Results, word: Word, day: Callable[[int], str]) -> list[Tile]:
    """The tiles of *found*, in the order people look for them; *word* translates, *day* writes a date."""
    figures = found.figures
    return [
        Tile("period", money(found.made, signed=True), tone_of(found.made), _made_note(found)),
        Tile("net", money(figures.net, signed=True), tone_of(figures.net), won(found.net_krw)),
        _beside_holding(found),
        _fall_tile(found, day),
        Tile("hit_rate", percent(figures.hit_rate, places=1), "", _wins(figures, word)),
        Tile("profit_factor", ratio(figures.profit_factor), "", _averages(figures)),
        Tile("expectancy", signed(figures.expectancy), tone_of(figures.expectancy or Decimal(0)), _r(figures)),
        Tile("costs", money(figures.fees - figures.funding), "", _share(figures, word)),
        _analyst_tile(found, word),
        Tile("exchange", plus(found.account.difference), "", *_differs(found, word)),
    ]


def _made_note(found: Results) -> str:
    return " · ".join(part for part in (percent(found.share, signed=True), won(found.made_krw)) if part)


def _beside_holding(found: Results) -> Tile:
    """How much better than holding the coin, which begins at the first known price."""
    last = found.points[-1]
    if last.hold is None:
        return Tile("beside_holding", "–")
    better = last.equity - last.hold
    return Tile(
        "beside_holding", signed(better), tone_of(better), percent(better / last.hold, signed=True) if last.hold else ""
    )


def _fall_tile(found: Results, day: Callable[[int], str]) -> Tile:
    deepest = found.deepest
    if deepest is None:
        return Tile("deepest", percent(Decimal(0)))
    return Tile("deepest", percent(-deepest.fraction), "", f"{day(deepest.top.t_ms)} → {day(deepest.bottom.t_ms)}")


def _wins(figures: Performance, word: Word) -> str:
    return word("tiles.trades", wins=figures.won, losses=figures.lost) if figures.trips else word("tiles.no_trades")


def _averages(figures: Performance) -> str:
    if not figures.won and not figures.lost:
        return ""
    return f"{signed(figures.average_win)} / {signed(figures.average_loss)}"


def signed(value: Decimal | None) -> str:
    """Money with its sign; a dash for nothing known."""
    return money(value, signed=True)


def _r(figures: Performance) -> str:
    return "" if figures.average_r is None else f"{ratio(figures.average_r)} R"


def _share(figures: Performance, word: Word) -> str:
    share = figures.fees_of_gross
    return "" if share is None else word("results.of_gross", share=percent(share, places=1))


def _analyst_tile(found: Results, word: Word) -> Tile:
    calls = word("results.calls", n=count(found.cost.calls))
    if found.cost.usd is None:
        return Tile("analyst", "–", "", calls)
    net = found.figures.net
    of_net = word("results.of_net", share=percent(found.cost.usd / net, places=1)) if net > 0 else ""
    return Tile("analyst", f"${ratio(found.cost.usd)}", "", of_net or calls)


def _differs(found: Results, word: Word) -> tuple[str, str]:
    if not found.account.checked_ms:
        return "", ""
    return (word("tiles.same"), "") if not found.account.difference else (word("results.differs"), "down")


def figure_rows(found: Results, word: Word) -> list[tuple[str, str, str]]:
    """Every figure as (label, value, tone)."""
    f = found.figures
    rows: list[tuple[str, str, Decimal | None]] = [
        ("gross", signed(f.gross), f.gross),
        ("fees", money(-f.fees, signed=True), None),
        ("funding", signed(f.funding), None),
        ("net", signed(f.net), f.net),
        ("best", signed(f.best), f.best),
        ("worst", signed(f.worst), f.worst),
        ("average_win", signed(f.average_win), f.average_win),
        ("average_loss", signed(f.average_loss), f.average_loss),
        ("expectancy", signed(f.expectancy), f.expectancy),
        ("average_r", ratio(f.average_r), None),
        ("losing_run", word("figure.times", n=f.losing_run), None),
        ("average_held", held(f.average_held_ms, word), None),
        ("fees_share", percent(f.fees_of_gross, places=1), None),
        ("funding_share", percent(f.funding_of_gross, places=1), None),
    ]
    return [(word(f"figure.{name}"), value, tone_of(tone or Decimal(0))) for name, value, tone in rows]


def figures_html(rows: Sequence[tuple[str, str, str]]) -> str:
    """A list of figures."""
    return f'<dl class="figures">{"".join(_figure(*row) for row in rows)}</dl>'


def _figure(label: str, value: str, tone: str) -> str:
    return f'<div><dt>{escape(label)}</dt><dd class="{tone}">{escape(value)}</dd></div>'


@dataclass(frozen=True, slots=True)
class Bar:
    """
    One group: *share* (0 to 1) is how long its bar is, *value* and *note* what is written beside it, *mark* (0 to 1)
    where a line crosses it.
    """

    label: str
    share: Decimal
    tone: str
    value: str
    note: str
    mark: Decimal | None = None


def net_bars(groups: Mapping[Any, Performance], label: Callable[[Any], str], word: Word) -> list[Bar]:
    """Groups by what they brought."""
    most = max((abs(one.net) for one in groups.values()), default=Decimal(0)) or Decimal(1)
    return [
        Bar(label(key), abs(one.net) / most, tone_of(one.net), signed(one.net), _group(one, word))
        for key, one in groups.items()
    ]


def hit_bars(groups: Mapping[Decimal, Performance], word: Word) -> list[Bar]:
    """Tenths of confidence by how many of their trips were won, marked where the middle of the tenth is."""
    return [_hit_bar(step, one, word) for step, one in groups.items()]


def _hit_bar(step: Decimal, one: Performance, word: Word) -> Bar:
    label = f"{step * 100:.0f}–{step * 100 + 10:.0f}%"
    note = f"{_wins(one, word)} · {signed(one.net)}"
    return Bar(label, one.hit_rate or Decimal(0), "", percent(one.hit_rate, places=0), note, step + HALF_TENTH)


def _group(one: Performance, word: Word) -> str:
    return f"{_wins(one, word)} · {percent(one.hit_rate, places=0)}"


def bars_html(bars: Sequence[Bar], shape: str = "") -> str:
    """*bars* one under the other; with the *shape* "even" they begin at one place, whatever their labels."""
    return f'<div class="{f"bars {shape}".strip()}">{"".join(_bar(bar) for bar in bars)}</div>'


def _bar(bar: Bar) -> str:
    mark = "" if bar.mark is None else f'<b style="left:{bar.mark * 100:.1f}%"></b>'
    return (
        f'<div class="bar {bar.tone}"><span class="label">{escape(bar.label)}</span>'
        f'<span class="track"><i style="width:{bar.share * 100:.1f}%"></i>{mark}</span>'
        f'<span class="value">{escape(bar.value)}</span><span class="note">{escape(bar.note)}</span></div>'
    )


def hours_html(groups: Mapping[int, Performance], word: Word) -> str:
    """The day's twenty-four hours of entry as columns above and below a line."""
    most = max((abs(one.net) for one in groups.values()), default=Decimal(0))
    return f'<div class="hours">{"".join(_hour(hour, groups.get(hour), most, word) for hour in range(24))}</div>'


def _hour(hour: int, found: Performance | None, most: Decimal, word: Word) -> str:
    label = f"<b>{hour}</b>" if hour % 6 == 0 else "<b></b>"
    if found is None or not most:
        return f"<span>{label}</span>"
    hint = f"{hour:02d}:00 {signed(found.net)} · {_group(found, word)}"
    height = max(Decimal(3), abs(found.net) / most * 50)
    column = f'<i style="height:{height:.0f}%"></i>'
    return f'<span class="{tone_of(found.net)}" title="{escape(hint)}">{column}{label}</span>'
