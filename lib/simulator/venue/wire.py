"""
Bybit's rows, made of ours: every number a string, every field the documented one.

REST and private pushes share the rows; where they differ (avgPrice / entryPrice), the push says so. Nothing here
decides anything.
"""

import json
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from lib.domain.margin import initial_margin
from lib.domain.position import AVERAGE_STEP, ZERO, Side, unrealised_pnl
from lib.simulator.engine.accounts import Account, Holding
from lib.simulator.engine.books import Books
from lib.simulator.engine.charges import PRICES, USDT, ExtraFee
from lib.simulator.engine.margin import bust_price, exhausting_price, liquidation_edge, maintenance
from lib.simulator.engine.orders import ClosedPnl, Execution, OrderRecord, Transaction

Row = dict[str, Any]


def plain(value: Decimal) -> str:
    """No exponent, no trailing zeros."""
    return f"{value.normalize():f}" if value else "0"


def rounded(value: Decimal) -> str:
    """Ten decimals at most, for quotients."""
    return plain(value.quantize(AVERAGE_STEP, ROUND_HALF_EVEN))


def side_word(side: Side | str) -> str:
    """Buy or Sell."""
    return "Buy" if side == "buy" else "Sell" if side == "sell" else "None"


def optional(value: Decimal) -> str:
    """Empty for none."""
    return plain(value) if value else ""


def order_row(order: OrderRecord) -> Row:
    """A row of order/realtime, order/history and the order topic."""
    protection = order.protection
    average = rounded(order.filled_value / order.filled) if order.filled else ""
    protected = bool(protection.stop_loss or protection.take_profit or order.is_protective)
    return {
        "orderId": order.order_id,
        "orderLinkId": order.link_id,
        "parentOrderLinkId": order.parent_link_id,
        "blockTradeId": "",
        "symbol": order.symbol,
        "price": plain(order.price),
        "qty": plain(order.qty),
        "side": side_word(order.side),
        "isLeverage": "",
        "positionIdx": order.position_idx,
        "orderStatus": order.status,
        "createType": order.create_type,
        "cancelType": order.cancel_type,
        "rejectReason": order.reject_reason,
        "avgPrice": average,
        "leavesQty": plain(order.left),
        "leavesValue": rounded(order.left * order.price),
        "cumExecQty": plain(order.filled),
        "cumExecValue": plain(order.filled_value),
        "cumExecFee": plain(order.fee),
        "cumFeeDetail": {coin: plain(fee) for coin, fee in ({USDT: order.fee} | order.coin_fees).items() if fee},
        "timeInForce": order.time_in_force,
        "orderType": order.order_type,
        "stopOrderType": order.stop_order_type,
        "orderIv": "",
        "takeProfit": optional(protection.take_profit),
        "stopLoss": optional(protection.stop_loss),
        "tpslMode": ("Partial" if protection.is_partial or order.bond else "Full") if protected else "",
        "tpLimitPrice": optional(protection.target_limit),
        "slLimitPrice": optional(protection.stop_limit),
        "tpTriggerBy": protection.target_by if protection.take_profit else "",
        "slTriggerBy": protection.stop_by if protection.stop_loss else "",
        **_trigger_fields(order),
        "lastPriceOnCreated": plain(order.last_on_created),
        "reduceOnly": order.reduce_only,
        "closeOnTrigger": order.close_on_trigger,
        "placeType": "",
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "createdTime": str(order.created_ms),
        "updatedTime": str(order.updated_ms),
    }


def _trigger_fields(order: OrderRecord) -> Row:
    return {
        "triggerPrice": optional(order.trigger_price),
        "triggerDirection": order.trigger_direction,
        "triggerBy": order.trigger_by if order.trigger_price else "",
    }


def execution_row(execution: Execution) -> Row:
    """A row of execution/list and the execution topic."""
    return {
        "symbol": execution.symbol,
        "orderId": execution.order_id,
        "orderLinkId": execution.link_id,
        "parentOrderLinkId": execution.parent_link_id,
        "side": side_word(execution.side),
        "orderPrice": plain(execution.order_price),
        "orderQty": plain(execution.order_qty),
        "leavesQty": plain(execution.left),
        "createType": execution.create_type,
        "orderType": execution.order_type,
        "stopOrderType": execution.stop_order_type or "UNKNOWN",
        "execFee": plain(execution.fee),
        "execId": execution.exec_id,
        "execPrice": plain(execution.price),
        "execQty": plain(execution.qty),
        "execType": execution.exec_type,
        "execValue": plain(execution.qty * execution.price),
        "execTime": str(execution.at_ms),
        "feeCurrency": execution.fee_coin,
        "isMaker": execution.is_maker,
        "feeRate": plain(execution.fee_rate),
        "tradeIv": "",
        "markIv": "",
        "markPrice": plain(execution.mark_price),
        "indexPrice": "",
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": plain(execution.closed_size),
        "seq": execution.seq,
        "extraFees": _text_of(extra_fees(execution.extra)),
    }


def closed_pnl_row(closed: ClosedPnl) -> Row:
    """A row of position/closed-pnl."""
    return {
        "symbol": closed.symbol,
        "orderId": closed.order_id,
        "side": side_word(closed.side),
        "qty": plain(closed.qty),
        "orderPrice": plain(closed.order_price),
        "orderType": closed.order_type,
        "execType": closed.exec_type,
        "closedSize": plain(closed.qty),
        "cumEntryValue": rounded(closed.qty * closed.avg_entry),
        "avgEntryPrice": plain(closed.avg_entry),
        "cumExitValue": plain(closed.qty * closed.exit_price),
        "avgExitPrice": plain(closed.exit_price),
        "closedPnl": plain(closed.pnl),
        "fillCount": "1",
        "leverage": plain(closed.leverage),
        "openFee": plain(closed.open_fee),
        "closeFee": plain(closed.close_fee),
        "createdTime": str(closed.at_ms),
        "updatedTime": str(closed.at_ms),
    }


def transaction_row(row: Transaction) -> Row:
    """A row of account/transaction-log."""
    return {
        "id": row.row_id,
        "symbol": row.symbol,
        "category": "linear" if row.symbol else "",
        "side": side_word(row.side),
        "transactionTime": str(row.at_ms),
        "type": row.kind,
        "transSubType": "",
        "qty": plain(row.qty),
        "size": plain(row.size),
        "currency": row.currency,
        "tradePrice": plain(row.price),
        "funding": plain(row.funding) if row.kind == "SETTLEMENT" else "",
        "fee": plain(row.fee),
        "cashFlow": plain(row.cash_flow),
        "change": plain(row.change),
        "cashBalance": plain(row.balance),
        "feeRate": plain(row.fee_rate),
        "bonusChange": "",
        "tradeId": row.trade_id,
        "orderId": row.order_id,
        "orderLinkId": row.link_id,
        "extraFees": _text_of(extra_fees(row.extra)),
    }


def extra_fees(extra: Sequence[ExtraFee]) -> list[Row]:
    """The taxes of an execution, as the private stream tells them; REST sends the same list as text."""
    return [
        {
            "feeCoin": part.coin,
            "feeType": part.kind,
            "subFeeType": part.sub_kind,
            "feeRate": plain(part.rate),
            "fee": plain(part.fee),
        }
        for part in extra
    ]


def _text_of(rows: list[Row]) -> str:
    return json.dumps(rows, separators=(",", ":")) if rows else ""


def position_row(books: Books, account: Account, symbol: str, holding: Holding, position_idx: int = 0) -> Row:
    """A row of position/list; a flat position has side "" and size "0"."""
    position, mark, config = holding.position, books.mark(symbol), books.config
    is_flat = position.is_flat
    value = abs(position.qty) * position.avg_entry_price
    bust = ZERO if is_flat else _bust(books, account, holding)
    least = value * config.maintenance_rate + abs(position.qty) * bust * config.taker_fee
    margin = rounded(initial_margin(position, config.taker_fee) + holding.extra_margin)
    return {
        "positionIdx": position_idx,
        "riskId": 1,
        "riskLimitValue": plain(config.risk_limit),
        "symbol": symbol,
        "side": "" if is_flat else ("Buy" if position.qty > 0 else "Sell"),
        "size": plain(abs(position.qty)),
        "avgPrice": plain(position.avg_entry_price),
        "positionValue": "" if is_flat else rounded(value),
        "tradeMode": 0,
        "positionStatus": "Normal",
        "autoAddMargin": int(holding.auto_margin),
        "adlRankIndicator": 0 if is_flat else 2,
        "leverage": plain(position.leverage),
        "breakEvenPrice": "" if is_flat else rounded(_break_even(holding, config.taker_fee)),
        "positionBalance": "0" if is_flat else margin,
        "markPrice": plain(mark),
        "liqPrice": "" if is_flat else _liquidation(books, account, holding),
        "bustPrice": "" if is_flat else _tick(books, symbol, bust),
        "positionMM": "0" if is_flat else rounded(least),
        "positionMMByMp": "0" if is_flat else rounded(least),
        "positionIM": "0" if is_flat else margin,
        "positionIMByMp": "0" if is_flat else margin,
        "tpslMode": "Full",
        "takeProfit": optional(position.take_profit),
        "stopLoss": optional(position.stop_loss),
        "trailingStop": plain(holding.trailing),
        "unrealisedPnl": "" if is_flat else rounded(unrealised_pnl(position, mark)),
        "curRealisedPnl": plain(holding.current_realised),
        "cumRealisedPnl": plain(holding.total_realised),
        "seq": holding.updated_ms,
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "sessionAvgPrice": "",
        "openTime": str(holding.opened_ms) if not is_flat else "0",
        "createdTime": str(holding.opened_ms),
        "updatedTime": str(holding.updated_ms),
    }


def _bust(books: Books, account: Account, holding: Holding) -> Decimal:
    return bust_price(holding) if account.is_isolated else exhausting_price(books, account, holding.position)


def _liquidation(books: Books, account: Account, holding: Holding) -> str:
    """Blank in cross margin where no price of this symbol alone would end it."""
    edge = liquidation_edge(books, account, holding)
    return _tick(books, holding.position.symbol, edge) if edge or account.is_isolated else ""


def _break_even(holding: Holding, taker_fee: Decimal) -> Decimal:
    """The exit price at which the fees so far and the fee to close are earned back."""
    position = holding.position
    sign = 1 if position.qty > 0 else -1
    return (position.avg_entry_price - holding.current_realised / position.qty) / (1 - sign * taker_fee)


def _tick(books: Books, symbol: str, price: Decimal) -> str:
    return plain(books.instrument(symbol).round_price(price))


def wallet_row(books: Books, account: Account) -> Row:
    """The row of account/wallet-balance; account-wide figures are empty in isolated margin, as at Bybit."""
    open_profit = sum(
        (unrealised_pnl(h.position, books.mark(s)) for s, h in account.holdings.items() if not h.position.is_flat), ZERO
    )
    equity, position_margin = account.cash + open_profit, books.position_margin(account)
    order_margin, realised = books.order_margin(account), _realised(account)
    coin = {
        "coin": "USDT",
        "equity": plain(equity),
        "usdValue": rounded(equity),
        "walletBalance": plain(account.cash),
        "free": "",
        "locked": "0",
        "spotHedgingQty": "0",
        "borrowAmount": "0",
        "availableToBorrow": "",
        "availableToWithdraw": "",
        "accruedInterest": "0",
        "totalOrderIM": rounded(order_margin),
        "totalPositionIM": rounded(position_margin),
        "totalPositionMM": rounded(maintenance(books, account)),
        "unrealisedPnl": plain(open_profit),
        "cumRealisedPnl": plain(realised),
        "bonus": "0",
        "collateralSwitch": True,
        "marginCollateral": True,
        "spotBorrow": "0",
    }
    isolated, kept = account.is_isolated, maintenance(books, account)
    whole = {
        "totalEquity": rounded(equity),
        "totalWalletBalance": rounded(account.cash),
        "totalMarginBalance": "" if isolated else rounded(equity),
        "totalAvailableBalance": "" if isolated else rounded(books.available(account)),
        "totalPerpUPL": rounded(open_profit),
        "totalInitialMargin": "" if isolated else rounded(position_margin + order_margin),
        "totalMaintenanceMargin": "" if isolated else rounded(kept),
        "accountIMRate": "" if isolated else _share(position_margin + order_margin, equity),
        "accountMMRate": "" if isolated else _share(kept, equity),
        "accountLTV": "",
        "accountType": "UNIFIED",
    }
    others = [_other_coin(name, amount) for name, amount in account.coins.items() if amount]
    return {**whole, "coin": ([coin] if account.cash or open_profit else []) + others}


def _other_coin(name: str, amount: Decimal) -> Row:
    """A coin that only pays fees; it is no collateral."""
    blank = dict.fromkeys(("free", "availableToBorrow", "availableToWithdraw"), "")
    none = ("locked", "bonus", "totalOrderIM", "totalPositionIM", "totalPositionMM", "unrealisedPnl", "cumRealisedPnl")
    worth = {"coin": name, "equity": plain(amount), "usdValue": rounded(amount * PRICES[name])}
    sides = {"walletBalance": plain(amount), "collateralSwitch": False, "marginCollateral": False}
    return blank | dict.fromkeys(none, "0") | worth | sides


def _realised(account: Account) -> Decimal:
    return sum((holding.total_realised for holding in account.holdings.values()), ZERO)


def _share(part: Decimal, whole: Decimal) -> str:
    return rounded(part / whole) if whole > 0 else "0"
