"""
What the live parts of one person's screens show now, read from the stores and written out: the channel's sync half.

One account's readings are kept between two looks (`Known`); what moves with the price is reckoned from them anew
without asking the database. Whose they are is the caller's to say, by the session: no id comes from a request.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.ui import cockpit as part
from app.ui.badges import badges
from app.ui.cockpit import Quote
from app.ui.write import writing_for
from lib.clock import Clock
from lib.domain.account import NUMBERS, Numbers
from lib.domain.candle import MINUTE_MS
from lib.domain.instrument import Instrument
from lib.queries import Choices, CommandRow, Health, Holding, LogRow, Pulse, Readings, Stand, Standing

NEWEST = 8
"""Decisions in the table under the chart."""

Parts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """What the stores said of one person's account at one moment, and the rules of what it shows and holds."""

    standing: Standing
    stand: Stand
    chosen: Choices
    command: CommandRow | None
    newest: tuple[LogRow, ...]
    rules: Mapping[str, Instrument | None]
    unseen: int
    """How much the person was told and has not seen."""
    krw: Decimal | None = None
    """Won for one USDT today; None without a rate."""


def written(parts: Mapping[str, Any]) -> str:
    """*parts* as they are sent."""
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


class Cockpit:
    """Readings of any person, one at a time; used from any thread."""

    def __init__(self, readings: Readings, clock: Clock, symbols: Sequence[str]) -> None:
        self._readings = readings
        self._clock = clock
        self.symbols = tuple(symbols)
        """What this deployment trades, the first of them for who has no account."""
        self._day_ago: dict[str, tuple[int, Decimal | None]] = {}

    def pulses(self, user_ids: Collection[int]) -> dict[int, Pulse]:
        """As `Readings.pulses`."""
        return self._readings.pulses(user_ids)

    def known(self, user_id: int) -> Known | None:
        """Everything of the person's account that is stored; None without one. *Retry* when a store is away."""
        read = self._readings
        standing, stand, chosen = read.standing(user_id), read.stand(user_id), read.settings(user_id)
        if standing is None or stand is None or chosen is None:
            return None
        newest = tuple(read.logs(user_id, limit=NEWEST))
        rate = read.won_rates(user_id).at(self._clock.now_ms())
        return Known(
            standing,
            stand,
            chosen,
            read.command(user_id),
            newest,
            {one.symbol: read.rules(one.symbol) for one in (stand.held, *stand.others)},
            read.unseen(user_id) or 0,
            rate.krw if rate else None,
        )

    def quote(self, symbol: str = "") -> Quote:
        """The newest price of *symbol* (else of what this deployment trades), and that of a day ago."""
        symbol = symbol or self.symbols[0]
        return Quote(symbol, self._readings.last_price(symbol), self._ago(symbol))

    def _ago(self, symbol: str) -> Decimal | None:
        # a day of candles: read once a minute, since it moves no oftener
        minute = self._clock.now_ms() // MINUTE_MS
        if self._day_ago.get(symbol, (0, None))[0] != minute:
            self._day_ago[symbol] = (minute, self._readings.price_day_ago(symbol))
        return self._day_ago[symbol][1]

    def health(self) -> Health:
        """What is known of the processes now."""
        return self._readings.health(self._clock.now_ms())

    def shown(self, known: Known | None) -> tuple[str, ...]:
        """The symbols of the message about *known*, the one that is shown first at the head."""
        own = () if known is None else (known.stand.held.symbol, *(one.symbol for one in known.stand.others))
        return tuple(dict.fromkeys((*own, *self.symbols)))

    def parts(self, known: Known | None, quotes: Sequence[Quote], health: Health) -> Parts:
        """Every part of the message about *known* (None: a person without an account) at *quotes* of `shown`."""
        moving = self.moving(known, quotes, health)
        if known is None:
            return {"account": False, **moving, "seen": {}}
        stored = _stored(known, self._clock.now_ms(), several=len(quotes) > 1)
        return {"account": True, **stored, **moving, "seen": _seen(known, health)}

    def moving(self, known: Known | None, quotes: Sequence[Quote], health: Health) -> Parts:
        """Those parts that change by the prices and the time alone."""
        shown = badges(health, self._clock.now_ms(), known.standing.venue if known else None)
        common: Parts = {"market": part.quote_part(quotes[0]), "truth": part.truth_part(shown)}
        # None where the account's first symbol is the only one: the parts above tell all of it
        common["quotes"] = {one.symbol: part.quote_part(one) for one in quotes} if len(quotes) > 1 else None
        return common if known is None else {**common, **_priced(known, {one.symbol: one.price for one in quotes})}

    def numbers(self, user_id: int, known: Known | None) -> Numbers:
        """How *user_id*, of whom *known* was read, has numbers written. *Retry* when a store is away."""
        return known.chosen.numbers if known is not None else self._readings.numbers(user_id) or NUMBERS

    def whole(self, user_id: int, symbol: str = "", *, for_program: bool = False) -> str:
        """
        The whole message of *user_id* now, as it is sent, with *symbol* in the place of what is shown first; a
        program's numbers are everybody's. As `known`.
        """
        known, health = self.known(user_id), self.health()
        quotes = [self.quote(one) for one in self.shown(known)]
        with writing_for(NUMBERS if for_program else self.numbers(user_id, known)):
            parts = self.parts(known, quotes, health)
            return written(parts | _of_symbol(parts, symbol) if symbol else parts)


def _of_symbol(parts: Parts, symbol: str) -> Parts:
    """What of *parts* is *symbol*'s, under the names of what is shown first."""
    if parts["quotes"] is None:
        return {}
    market = parts["quotes"].get(symbol, parts["market"])
    held = next((one for one in parts.get("positions", ()) if one["symbol"] == symbol), None)
    return {"market": market} | ({"position": held, "open": parts["opens"].get(symbol)} if parts["account"] else {})


def _stored(known: Known, now_ms: int, *, several: bool) -> Parts:
    held = known.stand.held
    drawn = [part.position_part(one, known.rules[one.symbol], known.command, now_ms) for one in _open_ones(known)]
    return {
        "positions": drawn if several else None,
        "standing": part.standing_part(known.standing),
        "settings": part.settings_part(known.chosen),
        "position": drawn[0] if held.position_qty else None,
        "curves": part.curves_part(known.stand.tiles(None)),
        "bell": known.unseen,
    }


def _open_ones(known: Known) -> list[Holding]:
    """What is open, the symbol that is shown first at the head."""
    return [one for one in (known.stand.held, *known.stand.others) if one.position_qty]


def _priced(known: Known, prices: Mapping[str, Decimal | None]) -> Parts:
    held, every = known.stand.held, _open_ones(known)
    opens = {
        one.symbol: part.open_part(one, known.rules[one.symbol], prices.get(one.symbol), known.krw) for one in every
    }
    stand = known.stand
    return {
        "open": opens.get(held.symbol),
        "opens": opens if len(prices) > 1 else None,
        "total": part.total_part(every, prices, known.krw),
        "tiles": part.tiles_part(stand.tiles(prices.get(held.symbol), stand.beside(prices)), known.krw),
    }


def _seen(known: Known, health: Health) -> dict[str, str]:
    return {
        "account": str(known.standing.account_id),
        "chart": part.seen_charts((known.stand.held, *known.stand.others)),
        "decisions": part.seen_decisions(known.newest),
        "stops": part.seen_stops(known.standing),
        "settings": part.seen_settings(known.chosen, known.command),
        "market": part.seen_market(health.closed_markets),
    }
