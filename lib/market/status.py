"""
The hash `system:status`: every field, and the feed this store's candles belong to.

Field                            Meaning (times are ISO-8601 UTC with Z, "" = never)
data_server_last_update          when a candle, closed or forming, was last written
data_server_heartbeat            when the collector last looked at everything; each few seconds
data_server_started_at           when the collector started
data_server_version              its version
data_server_problem              why candles are in doubt now, and which where others are not, or ""
auto_server_last_run             when the trader last ran a cycle
closed_markets                   where entries wait: a line each of venue TAB symbol (none: all of the venue) TAB reason
websocket_connected              "true" or "false"
feed                             where the candles come from: synthetic, replay:…, bybit, bybit-testnet
symbols, intervals               what is collected, comma-separated
last_frame                       when the stream last pushed a candle
reconnects                       how often the stream had to connect again
gaps_filled                      closed candles fetched by REST because the stream did not bring them
quarantined                      candles refused because they cannot be true
analyst_groups, analyst_calls    of the newest cycle: groups that share an answer, and questions asked for them
analyst_unreached, analyst_longest_wait_ms, analyst_waiting
                                 turns that did not come, the longest wait, and groups that wait now
traded_symbols                   what accounts trade by themselves, most accounts first; told by the trader
last_close:{symbol}:{interval}   close time of the newest closed candle
candles:{symbol}:{interval}      how many closed candles are held
problem:{symbol}:{interval}      why this list is in doubt now, or ""
rules:{symbol}                   its trading rules as JSON, read again every six hours

Values are text. Two processes write here, each its own fields; nothing is ever decided from them except that candles of
another feed are forgotten before the first write.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from lib.domain.candle import interval_ms
from lib.domain.instrument import Instrument
from lib.domain.reason import Reason
from lib.domain.stored_reason import parse, stored
from lib.market.feed import CandleFeed
from lib.ports.market import CandleStore

CLOSED_MARKETS = "closed_markets"
TRADED = "traded_symbols"
MOST_NAMED = 3
_RULES = ("tick_size", "qty_step", "min_qty", "max_market_qty", "min_notional", "max_leverage")


@dataclass(frozen=True, slots=True)
class ClosedMarket:
    """Where nothing can be entered now, and *why*; *symbol* empty = nowhere at *venue*."""

    venue: str
    symbol: str
    why: Reason


def closed_markets_field(closed: Iterable[ClosedMarket]) -> dict[str, str]:
    """The trader's field about *closed*."""
    return {CLOSED_MARKETS: "\n".join(f"{one.venue}\t{one.symbol}\t{stored(one.why)}" for one in closed)}


def closed_markets_of(status: Mapping[str, str]) -> tuple[ClosedMarket, ...]:
    """What *status* says is closed; lines that are none are passed over."""
    lines = (line.split("\t", 2) for line in status.get(CLOSED_MARKETS, "").split("\n"))
    return tuple(ClosedMarket(parts[0], parts[1], parse(parts[2])) for parts in lines if len(parts) == 3)


def iso(at_ms: int) -> str:
    """Epoch ms as ISO-8601 UTC with Z, to the second; "" for 0."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at_ms else ""


def collector_fields(feeds: Iterable[CandleFeed], *, now_ms: int, connected: bool) -> dict[str, str]:
    """The collector's changing fields."""
    feeds = list(feeds)
    reports = [feed.report for feed in feeds]
    fields = {
        "data_server_last_update": iso(max(report.last_write for report in reports)),
        "data_server_heartbeat": iso(now_ms),
        "data_server_problem": _problem(feeds),
        "websocket_connected": "true" if connected else "false",
        "last_frame": iso(max(report.last_frame for report in reports)),
        "gaps_filled": str(sum(report.gaps_filled for report in reports)),
        "quarantined": str(sum(report.quarantined for report in reports)),
    }
    for feed in feeds:
        fields |= _list_fields(feed)
    return fields


def rules_text(rules: Instrument) -> str:
    """Trading rules as the field `rules:{symbol}` holds them: decimals as text."""
    return json.dumps({name: f"{getattr(rules, name):f}" for name in _RULES})


def read_rules(symbol: str, text: str) -> Instrument | None:
    """What `rules_text` wrote; None for nothing and for what cannot be read."""
    try:
        found = json.loads(text)
        tick, step, least, most, notional, leverage = (Decimal(found[name]) for name in _RULES)
    except (ValueError, KeyError, TypeError, ArithmeticError):
        return None
    sound = all(value.is_finite() and value > 0 for value in (tick, step, least, most, leverage))
    return Instrument(symbol, tick, step, least, most, notional, leverage) if sound and notional.is_finite() else None


def adopt_feed(store: CandleStore, feed: str) -> bool:
    """Name *feed* in the status; True when another feed's candles had to be forgotten first."""
    stale = store.status().get("feed", feed) != feed
    if stale:
        store.clear()
    store.set_status({"feed": feed})
    return stale


def _problem(feeds: Sequence[CandleFeed]) -> str:
    """Why lists are in doubt; which, where others are not."""
    troubled = [feed for feed in feeds if feed.report.problem]
    if not troubled:
        return ""
    why = troubled[0].report.problem
    if len(troubled) == len(feeds):
        return why
    names = ", ".join(f"{feed.symbol} {feed.interval}" for feed in troubled[:MOST_NAMED])
    more = f" +{len(troubled) - MOST_NAMED}" if len(troubled) > MOST_NAMED else ""
    return f"{names}{more}: {why}"


def _list_fields(feed: CandleFeed) -> dict[str, str]:
    name, report = f"{feed.symbol}:{feed.interval}", feed.report
    close = report.newest_open + interval_ms(feed.interval) if report.newest_open else 0
    told = {f"last_close:{name}": iso(close), f"candles:{name}": str(report.candles)}
    return told | {f"problem:{name}": report.problem}
