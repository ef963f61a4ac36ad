"""
The live chart with its lines and marks.

Candles reach the browser by our REST routes and WebSocket; here only the lines of the open position and the marks of
past orders are read, when something was executed, and sent when they changed.
"""

from decimal import Decimal

import streamlit as st

from app.i18n import language, rises_red, t, zone
from app.panels.away import patient
from app.session import require_user
from app.system import system
from app.ui import live
from app.ui.chart import TEXT, TOLD, Line, Mark, Open, View, chart_data, show_chart
from app.ui.cockpit import seen_charts
from app.ui.palette import palette
from app.ui.reasons import say
from app.ui.write import exact, money, percent, places, price, short
from lib.domain.margin import Liquidation, distance
from lib.queries import Holding, Marker

DAY_MS = 86_400_000
MARKED_MS = 7 * DAY_MS
LOCALES = {"ko": "ko-KR", "en": "en-GB"}
KINDS = {"bought": "buy", "sold": "sell", "closed": "exit"}
PLACES = 2
"""Of a price whose instrument is not known."""


@st.fragment
@patient
def market(symbol: str) -> None:
    """The chart of *symbol*, with what the person's account did and holds of it."""
    user, read = require_user(), system().readings
    every = read.holdings(user.user_id)
    live.follow("chart", seen_charts(every))
    holding = next((one for one in every if one.symbol == symbol), None)
    since = system().clock.now_ms() - MARKED_MS
    marks = [_mark(one) for one in read.markers(user.user_id, since, symbol) if one.outcome in KINDS]
    is_open = holding is not None and bool(holding.position_qty)
    position = Open(holding.position_qty, holding.avg_entry_price) if holding and is_open else None
    text = {name: t(f"chart.{name}") for name in TEXT}
    show_chart(chart_data(_view(symbol), _lines(holding), marks, position, text))


def _view(symbol: str) -> View:
    others = (one for one in system().symbols if one != symbol)
    symbols = [(one, _places(one)) for one in (symbol, *others)]
    at = zone()
    return View(symbols, LOCALES[language()], at.offset_s, at.label, palette(rises_red=rises_red()))


def _places(symbol: str) -> int:
    """Of a symbol's prices: its tick's; as many as such a price is written with until its rules are read."""
    rules = system().readings.rules(symbol)
    if rules is None:
        newest = system().readings.last_price(symbol)
        return PLACES if newest is None else places(newest)
    exponent = rules.tick_size.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else PLACES


def _lines(holding: Holding | None) -> list[Line]:
    if holding is None or not holding.position_qty:
        return []
    liquidation = holding.liquidated_at(system().readings.rules(holding.symbol))
    wanted = (
        Line("entry", holding.avg_entry_price, _entry(holding), "accent", False),
        Line("stop", holding.stop_loss or Decimal(0), _at("stop", holding, holding.stop_loss), "down", True),
        Line("target", holding.take_profit or Decimal(0), _at("target", holding, holding.take_profit), "up", True),
        *([_liquidation(holding, liquidation)] if liquidation else ()),
    )
    return [line for line in wanted if line.price > 0]


def _liquidation(holding: Holding, found: Liquidation) -> Line:
    """Its name, told or estimated, and its way from the entry; what it would cost depends on the margin mode."""
    away = percent(distance(holding.avg_entry_price, found.price), signed=True)
    name = t("chart.liquidation" if found.is_told else "chart.liquidation_estimate")
    return Line("liquidation", found.price, f"{name} {away}", "danger", True)


def _entry(holding: Holding) -> str:
    side = t("position.long" if holding.position_qty > 0 else "position.short")
    return f"{side} {exact(abs(holding.position_qty))}"


def _at(name: str, holding: Holding, at: Decimal | None) -> str:
    """The line's name and what the position would bring there, before fees."""
    return f"{t(f'chart.{name}')} {money(holding.open_pnl(at), signed=True)}" if at else ""


def _mark(marker: Marker) -> Mark:
    closes = marker.outcome == "closed"
    tone = "" if not closes or not marker.realised else "up" if marker.realised > 0 else "down"
    why = say(marker.why, language())
    return Mark(
        marker.t_ms,
        KINDS[marker.outcome],
        t("mark.protected" if closes and marker.is_stop else f"mark.{marker.outcome}"),
        f"{exact(marker.qty)} @ {price(marker.price)}",
        short(why, TOLD) if why and not marker.is_stop else "",
        f"{money(marker.realised, signed=True)} USDT" if closes else "",
        tone,
        marker.log_id,
    )
