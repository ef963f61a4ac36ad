"""
What the live parts of the screens are told of one account: figures as they are written, words in every language.

Pure. Everything is text here, reckoned exactly in Python by the domain's formulas: a browser draws it and decides
nothing. Each function makes one part of the message; a part is sent again when it changed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from app.i18n import TONGUES, Tongue
from app.ui.badges import Badge
from app.ui.reasons import say
from app.ui.standing import lock_words, state_reason, state_word
from app.ui.tiles import Tile, spark_path, tile_row, tone_of
from app.ui.write import exact, money, percent, price, shown, won
from lib.domain import reason_codes as codes
from lib.domain.instrument import Instrument
from lib.domain.margin import Liquidation, distance, margin_of, stop_risk
from lib.domain.position import ZERO
from lib.market.status import ClosedMarket
from lib.queries import Choices, CommandRow, Holding, LogRow, Standing, Tiles

T = TypeVar("T")
TOLD_MS = 180_000
"""How long what became of a close is told; after that it is in the log."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A symbol's price now and a day ago; None = not known."""

    symbol: str
    price: Decimal | None
    day_ago: Decimal | None


def both(words: Callable[[Tongue], T]) -> dict[str, T]:
    """*words* in every language."""
    return {name: words(one) for name, one in TONGUES.items()}


def quote_part(quote: Quote) -> dict[str, str]:
    """The price, and how it changed in 24 hours."""
    known = quote.price is not None and quote.day_ago
    change = distance(quote.day_ago or ZERO, quote.price or ZERO) if known else None
    return {
        "symbol": quote.symbol,
        "price": price(quote.price),
        "change": percent(change, signed=True),
        "tone": tone_of(change or ZERO),
    }


def standing_part(found: Standing) -> dict[str, Any]:
    """The one word for the account, why, and what its buttons may do."""
    return {
        "state": state_word(found),
        "auto": found.auto_trade,
        "own": found.switches.is_thrown,
        "closing": found.switches.flatten,
        "halted": found.is_halted,
        "why": both(lambda tongue: state_reason(found, tongue)),
    }


def settings_part(chosen: Choices) -> dict[str, Any]:
    """What is chosen at one touch, and the version it rests on."""
    settings = chosen.settings
    return {
        "version": chosen.settings_version,
        "risk_level": settings.risk_level.value,
        "max_leverage": settings.max_leverage,
    }


def position_part(
    held: Holding, rules: Instrument | None, command: CommandRow | None, now_ms: int
) -> dict[str, Any] | None:
    """
    What is open, as far as no price moves it, and what became of its owner's wish to close it; None while flat.
    """
    if not held.position_qty:
        return None
    position, known = held.position, held.leverage is not None
    liquidation = held.liquidated_at(rules)
    return {
        "side": position.direction,
        "symbol": held.symbol,
        "qty": exact(abs(position.qty)),
        "leverage": f"{held.leverage}×" if known else "–",
        "entry": price(position.avg_entry_price),
        "margin": money(margin_of(position) if known else None),
        "liquidation": _liquidation(liquidation, position.avg_entry_price),
        "estimated": liquidation is not None and not liquidation.is_told,
        "stop": price(held.stop_loss),
        "target": price(held.take_profit),
        "risk": money(-stop_risk(position)) if stop_risk(position) else "–",
        "thesis": both(lambda tongue: say(held.thesis, tongue.language)),
        "log_id": held.log_id,
        **_close_part(command, held.symbol, now_ms),
    }


def _liquidation(found: Liquidation | None, entry: Decimal) -> str | dict[str, str]:
    """The price, written as *entry* is, or in every language that there is none; a dash when nobody knows."""
    if found is None:
        return "–"
    return price(found.price, entry) if found.price else both(lambda tongue: tongue.say("position.none"))


def _close_part(command: CommandRow | None, symbol: str, now_ms: int) -> dict[str, Any]:
    """Whether a close of *symbol* is under way at *now_ms*, and why the position is still there after one."""
    is_asked = command is not None and command.symbol in ("", symbol)
    if command is None or command.kind != "close" or now_ms - command.asked_ms > TOLD_MS or not is_asked:
        return {"closing": False, "unclosed": None}
    is_done = command.state == "done"
    why = both(lambda tongue: say(command.result, tongue.language)) if is_done else None
    is_closed = codes.CLOSED_AS_ASKED.is_of(command.result)
    return {"closing": not is_done, "unclosed": None if is_closed else why}


def open_part(
    held: Holding, rules: Instrument | None, at: Decimal | None, krw: Decimal | None = None
) -> dict[str, str] | None:
    """What the price moves of an open position, at *krw* won a USDT; None while flat or at no price."""
    if not held.position_qty or at is None:
        return None
    position, pnl = held.position, held.open_pnl(at)
    liquidation = held.liquidated_at(rules)
    margin, risk = margin_of(position) if held.leverage else ZERO, stop_risk(position)
    return {
        "price": price(at),
        "notional": money(abs(position.qty) * at),
        "pnl": money(pnl, signed=True),
        "won": won(None if krw is None else pnl * krw),
        "tone": tone_of(pnl),
        "share": percent(pnl / margin if margin else None, signed=True),
        "r": shown(f"{pnl / risk:+.2f}R") if risk else "–",
        "to_stop": _away(at, held.stop_loss),
        "to_target": _away(at, held.take_profit),
        "to_liquidation": _away(at, liquidation.price) if liquidation and liquidation.price else "",
    }


def total_part(
    held: Sequence[Holding], prices: Mapping[str, Decimal | None], krw: Decimal | None = None
) -> dict[str, str] | None:
    """The open profit of several positions together; None for fewer than two, or while a price is not known."""
    priced = [one.open_pnl(at) for one in held if (at := prices.get(one.symbol)) is not None]
    if len(held) < 2 or len(priced) < len(held):
        return None
    pnl = sum(priced, ZERO)
    return {"pnl": money(pnl, signed=True), "won": won(None if krw is None else pnl * krw), "tone": tone_of(pnl)}


def _away(at: Decimal, to: Decimal | None) -> str:
    return percent(distance(at, to), signed=True) if to else "–"


def tiles_part(found: Tiles, krw: Decimal | None = None) -> list[dict[str, Any]]:
    """The tiles without their curves, at *krw* won a USDT."""
    rows: dict[str, list[Tile]] = both(lambda tongue: tile_row(found, tongue.say, krw))
    return [
        {
            "key": tile.key,
            "value": tile.value,
            "won": tile.won,
            "tone": tile.tone,
            "note": {name: row[number].note for name, row in rows.items()},
            "note_tone": tile.note_tone,
        }
        for number, tile in enumerate(next(iter(rows.values())))
    ]


def curves_part(found: Tiles) -> dict[str, dict[str, str]]:
    """The curve behind each tile that has one: its line and its colour's tone."""
    rows = tile_row(found, next(iter(TONGUES.values())).say)
    drawn = {tile.key: (spark_path(tile.curve), tile.curve) for tile in rows}
    return {key: {"line": line, "tone": tone_of(curve[-1] - curve[0])} for key, (line, curve) in drawn.items() if line}


def truth_part(badges: Iterable[Badge]) -> list[dict[str, Any]]:
    """What the system says of itself: tone, icon and words of each badge."""
    return [
        {"tone": one.tone, "icon": one.icon, "text": both(lambda tongue, one=one: _badge_words(one, tongue))}  # type: ignore[misc]
        for one in badges
    ]


def _badge_words(badge: Badge, tongue: Tongue) -> str:
    if badge.age is None:
        return tongue.say(badge.key, name=badge.name)
    unit, number = badge.age
    return tongue.say(badge.key, age=tongue.say(unit, n=number))


# --- what a part of the page rests on: it is drawn anew when this changed ---


def seen_decisions(rows: Iterable[LogRow]) -> str:
    """Of the newest decisions."""
    return " ".join(f"{row.id}.{row.outcome}.{row.status}" for row in rows)


def seen_stops(found: Standing) -> str:
    """Of the locks, and of the orders that only a person can end."""
    locks = (lock_words(lock, next(iter(TONGUES.values()))) for lock in (*found.platform_locks, *found.locks))
    return " ".join((*locks, *(row.order_link_id for row in found.needs_human)))


def seen_settings(chosen: Choices | None, command: CommandRow | None) -> str:
    """Of the settings, and of what was last asked of the trader."""
    asked = "" if command is None else f"{command.kind}.{command.asked_ms}.{command.state}"
    return f"{chosen.settings_version if chosen else 0} {asked}"


def seen_chart(held: Holding | None) -> str:
    """Of the lines and marks on the chart: they move by what is executed."""
    if held is None:
        return ""
    drawn = (held.position_qty, held.avg_entry_price, held.realised, held.fees, held.log_id, held.liquidation)
    return " ".join(str(one) for one in drawn)


def seen_charts(holdings: Sequence[Holding]) -> str:
    """Of those of each symbol: the first, and the others that are open."""
    drawn = [one for place, one in enumerate(holdings) if not place or one.position_qty]
    return " | ".join(f"{one.symbol} {seen_chart(one)}" for one in drawn)


def seen_market(closed: Iterable[ClosedMarket]) -> str:
    """Of what is closed where."""
    return " ".join(f"{one.venue}.{one.symbol}.{one.why.code}" for one in closed)
