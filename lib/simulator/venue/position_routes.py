"""The signed routes about positions: list, leverage, mode, stop and target, closed profits."""

from typing import Any

from lib.simulator.engine.accounts import HEDGE, Account, Holding
from lib.simulator.engine.checks import check_position_idx
from lib.simulator.engine.dealing import ProtectionChange
from lib.simulator.engine.orders import Refused, TriggerBy
from lib.simulator.venue.call import Call
from lib.simulator.venue.paging import between, page, window
from lib.simulator.venue.wire import closed_pnl_row, plain, position_row

Result = dict[str, Any]
TRIGGERS = ("", "LastPrice", "MarkPrice", "IndexPrice")


def position_list(call: Call) -> Result:
    """With a symbol always a row, flat or not; with settleCoin only open positions."""
    call.linear()
    books, account = call.engine.books, call.account
    if call.params.text("symbol"):
        symbol = call.symbol()
        rows = _rows_of(call, account, symbol, books.holding(account, symbol))
    elif call.params.text("settleCoin") == "USDT":
        open_ones = [(s, h) for s, h in account.holdings.items() if not h.position.is_flat]
        rows = [row for s, h in open_ones for row in _rows_of(call, account, s, h) if row["side"]]
    else:
        raise Refused(10001, "params error: symbol or settleCoin is required")
    return {"category": "linear", "list": rows, "nextPageCursor": ""}


def _rows_of(call: Call, account: Account, symbol: str, holding: Holding) -> list[Result]:
    """One row in one-way mode; in hedge mode one per side, the position in the one it belongs to."""
    books = call.engine.books
    if account.position_mode != HEDGE:
        return [position_row(books, symbol, holding)]
    flat = Holding(type(holding.position)(symbol, leverage=holding.position.leverage))
    sides = (holding, flat) if holding.position.qty >= 0 else (flat, holding)
    return [position_row(books, symbol, side, index) for index, side in enumerate(sides, start=1)]


def symbol_info(call: Call) -> Result:
    """The leverage of a symbol, with or without a position."""
    call.linear()
    books, account = call.engine.books, call.account
    symbols = [call.symbol()] if call.params.text("symbol") else list(books.instruments)
    sides = [(1, "Buy"), (2, "Sell")] if account.position_mode == HEDGE else [(0, "")]
    rows = [
        {
            "symbol": symbol,
            "leverage": plain(books.holding(account, symbol).position.leverage),
            "side": side,
            "positionIdx": index,
        }
        for symbol in symbols
        for index, side in sides
    ]
    return {"category": "linear", "list": rows, "nextPageCursor": ""}


def set_leverage(call: Call) -> Result:
    """Set the leverage, the same for both sides."""
    call.linear()
    buy, sell = call.params.positive("buyLeverage"), call.params.positive("sellLeverage")
    if not buy or buy != sell:
        raise Refused(10001, "params error: buy leverage must equal sell leverage")
    call.engine.dealing.set_leverage(call.account.uid, call.symbol(), buy)
    return {}


def switch_mode(call: Call) -> Result:
    """Set one-way (0) or hedge (3)."""
    call.linear()
    call.engine.dealing.set_position_mode(call.account.uid, call.params.integer("mode", -1, 0, 3))
    return {}


def trading_stop(call: Call) -> Result:
    """Set the stop and the target of the whole position; Full mode only."""
    call.linear()
    symbol = call.symbol()
    if call.params.required("tpslMode") != "Full":
        raise Refused(10001, "params error: tpslMode Partial is not offered here")
    check_position_idx(call.account, call.params.integer("positionIdx", 0, 0, 2))
    if call.engine.faults.take("refuse_stop", path="/v5/position/trading-stop", uid=call.account.uid):
        raise Refused(10001, "params error: stopLoss invalid")
    call.engine.dealing.set_protection(call.account.uid, symbol, _change(call))
    return {}


def _change(call: Call) -> ProtectionChange:
    for name in ("stopLoss", "takeProfit"):
        call.params.positive(name)
    return ProtectionChange(
        call.params.decimal("stopLoss"),
        call.params.decimal("takeProfit"),
        trigger_by(call, "slTriggerBy") or None,
        trigger_by(call, "tpTriggerBy") or None,
    )


def trigger_by(call: Call, name: str) -> TriggerBy | None:
    """LastPrice, MarkPrice or IndexPrice; None when absent."""
    match call.params.one_of(name, "", TRIGGERS):
        case "MarkPrice":
            return "MarkPrice"
        case "IndexPrice":
            return "IndexPrice"
        case "LastPrice":
            return "LastPrice"
    return None


def closed_pnl(call: Call) -> Result:
    """Profits of closing fills, newest first; the last seven days unless said otherwise."""
    call.linear()
    symbol, history = call.params.text("symbol"), call.engine.books.history[call.account.uid]
    recent = between(history.closed_pnls, window(call.params, call.now), lambda row: row.at_ms)
    rows = [row for row in recent if symbol in ("", row.symbol)]
    shown, cursor = page(rows, call.params, lambda row: row.seq, (50, 100))
    return {"category": "linear", "list": [closed_pnl_row(row) for row in shown], "nextPageCursor": cursor}
