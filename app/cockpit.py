"""
What the live parts of one person's screens show now, read from the stores and written out: the channel's sync half.

One account's readings are kept between two looks (`Known`); what moves with the price is reckoned from them anew
without asking the database. Whose they are is the caller's to say, by the session: no id comes from a request.
"""

import json
from collections.abc import Collection, Mapping
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
from lib.queries import Choices, CommandRow, Health, LogRow, Pulse, Readings, Stand, Standing

NEWEST = 8
"""Decisions in the table under the chart."""

Parts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """What the stores said of one person's account at one moment, and the rules of what it trades."""

    standing: Standing
    stand: Stand
    chosen: Choices
    command: CommandRow | None
    newest: tuple[LogRow, ...]
    rules: Instrument | None
    unseen: int
    """How much the person was told and has not seen."""
    krw: Decimal | None = None
    """Won for one USDT today; None without a rate."""


def written(parts: Mapping[str, Any]) -> str:
    """*parts* as they are sent."""
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


class Cockpit:
    """Readings of any person, one at a time; used from any thread."""

    def __init__(self, readings: Readings, clock: Clock, symbol: str) -> None:
        self._readings = readings
        self._clock = clock
        self._symbol = symbol
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
            read.rules(stand.held.symbol),
            read.unseen(user_id) or 0,
            rate.krw if rate else None,
        )

    def quote(self, symbol: str = "") -> Quote:
        """The newest price of *symbol* (else of what this deployment trades), and that of a day ago."""
        symbol = symbol or self._symbol
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

    def parts(self, known: Known | None, quote: Quote, health: Health) -> Parts:
        """Every part of the message about *known* (None: a person without an account) at *quote*."""
        moving = self.moving(known, quote, health)
        if known is None:
            return {"account": False, **moving, "seen": {}}
        return {"account": True, **_stored(known, self._clock.now_ms()), **moving, "seen": _seen(known, health)}

    def moving(self, known: Known | None, quote: Quote, health: Health) -> Parts:
        """Those parts that change by the price and the time alone."""
        shown = badges(health, self._clock.now_ms(), known.standing.venue if known else None)
        common = {"market": part.quote_part(quote), "truth": part.truth_part(shown)}
        return common if known is None else {**common, **_priced(known, quote, self._beside(known))}

    def _beside(self, known: Known) -> Decimal:
        """The open profit in symbols that are not shown first, at their newest prices."""
        return known.stand.beside({one.symbol: self._readings.last_price(one.symbol) for one in known.stand.others})

    def numbers(self, user_id: int, known: Known | None) -> Numbers:
        """How *user_id*, of whom *known* was read, has numbers written. *Retry* when a store is away."""
        return known.chosen.numbers if known is not None else self._readings.numbers(user_id) or NUMBERS

    def whole(self, user_id: int, *, for_program: bool = False) -> str:
        """The whole message of *user_id* now, as it is sent; a program's numbers are everybody's. As `known`."""
        known = self.known(user_id)
        quote, health = self.quote(known.stand.held.symbol if known else ""), self.health()
        with writing_for(NUMBERS if for_program else self.numbers(user_id, known)):
            return written(self.parts(known, quote, health))


def _stored(known: Known, now_ms: int) -> Parts:
    held = known.stand.held
    return {
        "standing": part.standing_part(known.standing),
        "settings": part.settings_part(known.chosen),
        "position": part.position_part(held, known.rules, known.command, now_ms),
        "curves": part.curves_part(known.stand.tiles(None)),
        "bell": known.unseen,
    }


def _priced(known: Known, quote: Quote, beside: Decimal) -> Parts:
    return {
        "open": part.open_part(known.stand.held, known.rules, quote.price, known.krw),
        "tiles": part.tiles_part(known.stand.tiles(quote.price, beside), known.krw),
    }


def _seen(known: Known, health: Health) -> dict[str, str]:
    return {
        "account": str(known.standing.account_id),
        "chart": part.seen_chart(known.stand.held),
        "decisions": part.seen_decisions(known.newest),
        "stops": part.seen_stops(known.standing),
        "settings": part.seen_settings(known.chosen, known.command),
        "market": part.seen_market(health.closed_markets),
    }
