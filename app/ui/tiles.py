"""
The six numbers of the dashboard, as text with the curve behind each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from itertools import accumulate
from urllib.parse import quote

from app.ui.palette import Palette
from app.ui.write import money, percent, plus, won
from lib.domain.equity import Mark, drawdown
from lib.domain.filled import filled
from lib.queries import EquityRow, Tiles

MOST_POINTS = 60
WIDTH, HEIGHT = 100, 30


@dataclass(frozen=True, slots=True)
class Tile:
    """
    One tile: *key* names its label, *tone* ("up", "down", "") colours its value.

    *note* is what stands under the value, with *note_tone*; *won* is the value in won; *curve* its sparkline, oldest
    first.
    """

    key: str
    value: str
    tone: str = ""
    note: str = ""
    note_tone: str = ""
    curve: Sequence[Decimal] = ()
    won: str = ""


def thinned(curve: Sequence[Decimal]) -> list[Decimal]:
    """At most MOST_POINTS of *curve*, evenly taken, the newest always among them."""
    if len(curve) <= MOST_POINTS:
        return list(curve)
    step = (len(curve) - 1) / (MOST_POINTS - 1)
    return [curve[round(number * step)] for number in range(MOST_POINTS)]


def falls(equity: Sequence[Decimal]) -> list[Decimal]:
    """How far each point lies below the highest one before it, as a fraction, never above 0."""
    peaks = accumulate(equity, max)
    return [-drawdown(peak, value) for peak, value in zip(peaks, equity, strict=True)]


def unpaid(curve: Sequence[EquityRow]) -> list[Decimal]:
    """The equity of each point, as if everything paid in and out until the newest had been so from the first."""
    newest = curve[-1].transfers if curve else Decimal(0)
    return [Mark(row.t_ms, row.equity, row.transfers).moved(newest) for row in curve]


def tile_row(found: Tiles, word: Callable[[str], str], krw: Decimal | None = None) -> list[Tile]:
    """The tiles of *found*, in the order people look for them; *word* translates a key, *krw* is the won of a USDT."""
    equity = [point.equity for point in found.curve]
    cash = [point.balance for point in found.curve]
    opened = [point.equity - point.balance for point in found.curve]
    made, today, open_pnl = found.equity - found.paid_in, found.today, found.open_pnl
    worth = [won(None if krw is None else amount * krw) for amount in (found.equity, today, open_pnl, found.balance)]
    return [
        Tile("equity", money(found.equity), "", _share(made, found.paid_in), tone_of(made), thinned(equity), worth[0]),
        Tile("today", money(today, signed=True), tone_of(today), _share(today, found.day_start), won=worth[1]),
        Tile("open_pnl", money(open_pnl, signed=True), tone_of(open_pnl), "", "", thinned(opened), worth[2]),
        Tile("drawdown", percent(-found.drawdown), "", "", "", thinned(falls(unpaid(found.curve)))),
        Tile("win_rate", percent(found.win_rate, places=1), "", filled(word("tiles.rounds"), {"n": found.rounds})),
        Tile("balance", money(found.balance), "", *_differs(found, word), thinned(cash), worth[3]),
    ]


def _differs(found: Tiles, word: Callable[[str], str]) -> tuple[str, str]:
    """What is said of wallet and books, and its colour; nothing before they were compared."""
    if not found.checked_ms:
        return "", ""
    if not found.difference:
        return word("tiles.same"), ""
    return filled(word("tiles.differs"), {"by": plus(found.difference)}), "down"


def tone_of(value: Decimal) -> str:
    """The colour of a gain or loss."""
    return "up" if value > 0 else "down" if value < 0 else ""


def _share(part: Decimal, whole: Decimal) -> str:
    return percent(part / whole, signed=True) if part and whole > 0 else ""


def tiles_html(tiles: Sequence[Tile], word: Callable[[str], str], colours: Palette) -> str:
    """All tiles as one piece of page; *word* translates a key. Every text is escaped."""
    return f'<div class="tiles">{"".join(_tile_html(tile, word, colours) for tile in tiles)}</div>'


def _tile_html(tile: Tile, word: Callable[[str], str], colours: Palette) -> str:
    label, hint = word(f"tiles.{tile.key}"), word(f"tiles.{tile.key}_help")
    return (
        f'<div class="tile {tile.tone}" title="{escape(hint)}" style="{_spark(tile.curve, colours)}">'
        f'<div class="label">{escape(label)}</div><div class="value">{escape(tile.value)}</div>'
        f'<div class="note {tile.note_tone}">{escape(tile.note)}</div></div>'
    )


def spark_path(curve: Sequence[Decimal]) -> str:
    """The line of *curve* as a path in WIDTH x HEIGHT, oldest to the left; "" for one that does not move."""
    if len(curve) < 2 or max(curve) == min(curve):
        return ""
    low, span = min(curve), max(curve) - min(curve)
    points = [
        f"{WIDTH * number / (len(curve) - 1):.1f},{float(HEIGHT - 2 - (HEIGHT - 4) * (value - low) / span):.1f}"
        for number, value in enumerate(curve)
    ]
    return f"M{' L'.join(points)}"


def _spark(curve: Sequence[Decimal], colours: Palette) -> str:
    # a background picture: the page's sanitiser takes drawings out of the markup itself
    if not (line := spark_path(curve)):
        return ""
    colour = colours.of(tone_of(curve[-1] - curve[0]))
    drawing = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' preserveAspectRatio='none'>"
        f"<path d='{line} L{WIDTH},{HEIGHT} L0,{HEIGHT} Z' fill='{colour}' fill-opacity='.14'/>"
        f"<path d='{line}' fill='none' stroke='{colour}' stroke-width='1.4' vector-effect='non-scaling-stroke'/></svg>"
    )
    return f"background-image:url(data:image/svg+xml,{quote(drawing)})"
