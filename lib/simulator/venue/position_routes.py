"""The signed routes about positions: list, leverage, mode, stop and target, closed profits."""

from decimal import Decimal
from typing import Any

from lib.domain.position import ZERO
from lib.simulator.engine.accounts import HEDGE, Account, Holding
from lib.simulator.engine.checks import check_position_idx
from lib.simulator.engine.dealing import ProtectionChange
from lib.simulator.engine.orders import Protection, Refused, Trail, TriggerBy
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
        return [position_row(books, account, symbol, holding)]
    flat = Holding(type(holding.position)(symbol, leverage=holding.position.leverage))
    sides = (holding, flat) if holding.position.qty >= 0 else (flat, holding)
    return [position_row(books, account, symbol, side, index) for index, side in enumerate(sides, start=1)]


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
    """Set stop, target and trailing stop of the whole position, or add a stop and a target of a part of it."""
    call.linear()
    symbol = call.symbol()
    call.params.required("tpslMode")
    is_partial = call.params.one_of("tpslMode", "", ("Full", "Partial")) == "Partial"
    check_position_idx(call.account, call.params.integer("positionIdx", 0, 0, 2))
    if call.engine.faults.take("refuse_stop", path="/v5/position/trading-stop", uid=call.account.uid):
        raise Refused(10001, "params error: stopLoss invalid")
    if is_partial and any(call.params.positive(name) for name in ("stopLoss", "takeProfit")):
        call.engine.dealing.add_protection(call.account.uid, symbol, *_part(call))
    if not is_partial or call.params.text("trailingStop"):
        call.engine.dealing.set_protection(call.account.uid, symbol, _change(call, is_partial))
    return {}


def _part(call: Call) -> tuple[Protection, Decimal]:
    """A partial stop and target with their one quantity."""
    params = call.params
    stop, target = params.positive("stopLoss"), params.positive("takeProfit")
    sizes = {params.positive(size) for price, size in ((stop, "slSize"), (target, "tpSize")) if price}
    if len(sizes) != 1 or not all(sizes):
        raise Refused(10001, "params error: tpSize and slSize must be equal")
    wanted = Protection(
        stop,
        target,
        trigger_by(call, "slTriggerBy") or "LastPrice",
        trigger_by(call, "tpTriggerBy") or "LastPrice",
        is_partial=True,
        stop_limit=limit_of(call, "sl", True),
        target_limit=limit_of(call, "tp", True),
    )
    return wanted, sizes.pop()


def limit_of(call: Call, leg: str, is_partial: bool) -> Decimal:
    """The limit price of a stop ("sl") or target ("tp") once it is triggered, 0 = at market, as always in Full mode."""
    kind = call.params.one_of(f"{leg}OrderType", "Market", ("Market", "Limit"))
    if kind == "Market":
        return ZERO
    if not is_partial:
        raise Refused(10001, f"params error: {leg}OrderType must be Market in Full mode")
    if not (price := call.params.positive(f"{leg}LimitPrice")):
        raise Refused(10001, f"params error: {leg}LimitPrice invalid")
    return price


def _change(call: Call, is_partial: bool) -> ProtectionChange:
    for name in ("stopLoss", "takeProfit"):
        call.params.positive(name)
    trail = None
    if call.params.text("trailingStop"):
        trail = Trail(call.params.positive("trailingStop"), call.params.positive("activePrice"))
    if is_partial:
        return ProtectionChange(trail=trail)
    return ProtectionChange(
        call.params.decimal("stopLoss"),
        call.params.decimal("takeProfit"),
        trigger_by(call, "slTriggerBy") or None,
        trigger_by(call, "tpTriggerBy") or None,
        trail,
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


def set_auto_add_margin(call: Call) -> Result:
    """Have margin added to an isolated position by itself (1), or not (0)."""
    call.linear()
    check_position_idx(call.account, call.params.integer("positionIdx", 0, 0, 2))
    call.params.required("autoAddMargin")
    wanted = bool(call.params.integer("autoAddMargin", 0, 0, 1))
    call.engine.dealing.set_auto_margin(call.account.uid, call.symbol(), wanted)
    return {}


def add_margin(call: Call) -> Result:
    """Add to the margin of an isolated position, or take some back; four decimals at most."""
    call.linear()
    symbol, amount = call.symbol(), call.params.decimal("margin")
    index = call.params.integer("positionIdx", 0, 0, 2)
    check_position_idx(call.account, index)
    if amount is None or amount % Decimal("0.0001"):
        raise Refused(10001, "params error: margin invalid")
    holding = call.engine.dealing.add_margin(call.account.uid, symbol, amount)
    return {"category": "linear", **position_row(call.engine.books, call.account, symbol, holding, index)}


def set_risk_limit(call: Call) -> Result:
    """The one tier there is, which needs no setting; 110031 for any other."""
    call.linear()
    call.symbol()
    if call.params.integer("riskId", 0) != 1:
        raise Refused(110031, "Non-existing risk limit info, please check the risk limit rules.")
    return {"category": "linear", "riskId": 1, "riskLimitValue": plain(call.engine.config.risk_limit)}


def confirm_pending(call: Call) -> Result:
    """Confirm a new risk limit; none is ever pending here."""
    call.linear()
    call.symbol()
    return {}


def classic_only(call: Call) -> Result:
    """A route of classic accounts, which unified ones are refused."""
    raise Refused(100028, "The API cannot be accessed by unified account users.")


def closed_pnl(call: Call) -> Result:
    """Profits of closing fills, newest first; the last seven days unless said otherwise."""
    call.linear()
    symbol, history = call.params.text("symbol"), call.engine.books.history[call.account.uid]
    recent = between(history.closed_pnls, window(call.params, call.now), lambda row: row.at_ms)
    rows = [row for row in recent if symbol in ("", row.symbol)]
    shown, cursor = page(rows, call.params, lambda row: row.seq, (50, 100))
    return {"category": "linear", "list": [closed_pnl_row(row) for row in shown], "nextPageCursor": cursor}
