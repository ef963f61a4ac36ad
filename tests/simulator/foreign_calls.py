"""
What foreign clients call of a USDT-perpetual trader's venue, as data, and how much of it the simulator answers.

`PYTHONPATH=. python -m tests.simulator.foreign_calls` counts pybit's methods, and ccxt's too where ccxt is installed.
A call counts as answered with the retCode written beside it: 0, or the code by which Bybit itself refuses that request
of a unified account. A route the simulator does not have (10017) never counts. Calls run in the order written here,
each client on an account of its own; "{0.97}" is that share of the last price, on the tick.
"""

import asyncio
import importlib
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pybit.unified_trading as pybit
from pybit.exceptions import FailedRequestError, InvalidRequestError

from lib.simulator.server import SimulatorConfig
from tests.simulator.running import Key, Running, served

SYMBOL = "BTCUSDT"
LINEAR: Mapping[str, Any] = {"category": "linear"}
ONE: Mapping[str, Any] = {**LINEAR, "symbol": SYMBOL}
LIMIT: Mapping[str, Any] = {"side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "{0.97}"}
MARKET: Mapping[str, Any] = {"side": "Buy", "orderType": "Market", "qty": "0.02"}
TICK = Decimal("0.1")
MATCHED_MS = 100
"""More than the simulator's match delay."""


@dataclass(frozen=True, slots=True)
class ForeignCall:
    """A method of a client, its arguments, and the retCode it is to get."""

    method: str
    params: Mapping[str, Any] = field(default_factory=dict)
    code: int = 0


def _one(method: str, code: int = 0, /, **more: Any) -> ForeignCall:
    return ForeignCall(method, {**ONE, **more}, code)


MARKET_CALLS = (
    ForeignCall("get_server_time"),
    ForeignCall("get_system_status"),
    _one("get_kline", interval=1, limit=5),
    _one("get_mark_price_kline", interval=1, limit=5),
    _one("get_index_price_kline", interval=1, limit=5),
    _one("get_premium_index_price_kline", interval=1, limit=5),
    _one("get_instruments_info"),
    _one("get_orderbook"),
    _one("get_rpi_orderbook", limit=50),
    _one("get_tickers"),
    _one("get_funding_rate_history", limit=5),
    _one("get_public_trade_history", limit=5),
    _one("get_open_interest", intervalTime="1h"),
    _one("get_long_short_ratio", period="1h"),
    ForeignCall("get_insurance", {"coin": "USDT"}),
    _one("get_risk_limit"),
    _one("get_price_limit"),
    ForeignCall("get_index_price_components", {"indexName": SYMBOL}),
    ForeignCall("get_adl_alert", {"symbol": SYMBOL}),
    ForeignCall("get_fee_group_info", {"productType": "contract"}),
    ForeignCall("get_announcement", {"locale": "en-US"}),
)
ORDER_CALLS = (
    _one("set_leverage", buyLeverage="5", sellLeverage="5"),
    _one("pre_check_order", 3200403, **LIMIT),
    _one("place_order", **LIMIT, orderLinkId="f-1"),
    _one("amend_order", orderLinkId="f-1", price="{0.96}", qty="0.02"),
    _one("get_open_orders"),
    _one("cancel_order", orderLinkId="f-1"),
    ForeignCall(
        "place_batch_order",
        {
            **LINEAR,
            "request": [{"symbol": SYMBOL, **LIMIT, "orderLinkId": f"b-{n}"} for n in (1, 2)],
        },
    ),
    ForeignCall(
        "amend_batch_order",
        {**LINEAR, "request": [{"symbol": SYMBOL, "orderLinkId": "b-1", "price": "{0.95}"}]},
    ),
    ForeignCall("cancel_batch_order", {**LINEAR, "request": [{"symbol": SYMBOL, "orderLinkId": "b-1"}]}),
    _one("cancel_all_orders"),
    _one("place_order", **MARKET, stopLoss="{0.95}", takeProfit="{1.05}", tpslMode="Full"),
    _one("get_order_history"),
    _one("get_executions"),
    ForeignCall("set_dcp", {"timeWindow": 40}, 10005),
)
POSITION_CALLS = (
    _one("get_positions"),
    _one("set_trading_stop", tpslMode="Full", positionIdx=0, trailingStop="500", activePrice="{1.02}"),
    _one(
        "set_trading_stop",
        tpslMode="Partial",
        positionIdx=0,
        takeProfit="{1.04}",
        stopLoss="{0.94}",
        tpSize="0.01",
        slSize="0.01",
        tpOrderType="Limit",
        tpLimitPrice="{1.04}",
        slOrderType="Market",
    ),
    _one("set_auto_add_margin", autoAddMargin=1, positionIdx=0),
    _one("add_or_reduce_margin", margin="10", positionIdx=0),
    _one("place_order", side="Sell", orderType="Market", qty="0.01", reduceOnly=True),
    _one("get_closed_pnl"),
    _one("set_risk_limit", riskId=1, positionIdx=0),
    _one("switch_margin_mode", 100028, tradeMode=1, buyLeverage="5", sellLeverage="5"),
    _one("set_tp_sl_mode", 100028, tpSlMode="Full"),
    _one("switch_position_mode", 110025, mode=0),
    _one("confirm_new_risk_limit"),
    ForeignCall("get_move_position_history", LINEAR),
)
ACCOUNT_CALLS = (
    ForeignCall("get_wallet_balance", {"accountType": "UNIFIED"}),
    ForeignCall("get_transferable_amount", {"coinName": "USDT"}),
    ForeignCall("get_account_info"),
    _one("get_account_instruments_info"),
    _one("get_fee_rates"),
    ForeignCall("get_transaction_log", {"accountType": "UNIFIED"}),
    ForeignCall("get_coin_greeks"),
    ForeignCall("get_collateral_info"),
    ForeignCall("get_borrow_history"),
    ForeignCall("query_dcp_info"),
    ForeignCall("get_smp_group"),
    ForeignCall("get_user_setting_config"),
    ForeignCall("set_limit_price_action", {**LINEAR, "modifyEnable": True}),
    ForeignCall("set_margin_mode", {"setMarginMode": "ISOLATED_MARGIN"}),
    ForeignCall("get_api_key_information"),
    ForeignCall("get_uid_wallet_type"),
    ForeignCall("get_coins_balance", {"accountType": "UNIFIED", "coin": "USDT"}),
    ForeignCall("get_coin_balance", {"accountType": "UNIFIED", "coin": "USDT"}),
    ForeignCall("get_coin_info", {"coin": "USDT"}),
    ForeignCall("get_transferable_coin", {"fromAccountType": "UNIFIED", "toAccountType": "FUND"}),
    ForeignCall("get_internal_transfer_records"),
    ForeignCall("get_deposit_records"),
    ForeignCall("get_withdrawal_records"),
    ForeignCall("get_withdrawable_amount", {"coin": "USDT"}),
    ForeignCall("request_demo_trading_funds"),
)
PYBIT = (*MARKET_CALLS, *ORDER_CALLS, *POSITION_CALLS, *ACCOUNT_CALLS)


def filled_in(value: Any, last: Decimal) -> Any:
    """*value* with every "{0.97}" in it become that share of *last*."""
    if isinstance(value, Mapping):
        return {name: filled_in(part, last) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [filled_in(part, last) for part in value]
    if isinstance(value, str) and value.startswith("{"):
        return f"{(last * Decimal(value.strip('{}'))) // TICK * TICK:f}"
    return value


def pybit_of(url: str, key: Key | None = None) -> pybit.HTTP:
    """pybit, pointed at *url*."""
    known = {"api_key": key.api_key, "api_secret": key.api_secret} if key else {}
    http = pybit.HTTP(**known, max_retries=1, timeout=5, demo=True)
    http.endpoint = url
    return http


def pybit_answers(http: pybit.HTTP, calls: Sequence[ForeignCall]) -> list[tuple[ForeignCall, int, str]]:
    """Every call with the retCode (or HTTP status) and text it got."""
    last = Decimal(http.get_tickers(**ONE)["result"]["list"][0]["lastPrice"])
    return [(call, *_answer(getattr(http, call.method), filled_in(call.params, last))) for call in calls]


def _answer(method: Any, params: Mapping[str, Any]) -> tuple[int, str]:
    try:
        answer = method(**params)
        if params.get("orderType") == "Market":
            _until_filled(method.__self__)
    except (InvalidRequestError, FailedRequestError) as refused:
        return int(refused.status_code), refused.message
    except Exception as odd:  # noqa: BLE001 - pybit raises the bare class for an answer it cannot read
        return -1, f"{odd}"
    parts = answer.get("retExtInfo", {}).get("list", [])
    return next(((part["code"], part["msg"]) for part in parts if part["code"]), (answer["retCode"], "OK"))


def _until_filled(http: pybit.HTTP) -> None:
    """Let the venue's clock pass the moment at which a market order is matched."""
    begun = int(http.get_server_time()["time"])
    while int(http.get_server_time()["time"]) < begun + MATCHED_MS:
        continue


# --- ccxt -------------------------------------------------------------------------------------------------------------

PERPETUAL = "BTC/USDT:USDT"
CCXT: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("load_markets", ()),
    ("fetch_time", ()),
    ("fetch_currencies", ()),
    ("fetch_ticker", (PERPETUAL,)),
    ("fetch_tickers", ([PERPETUAL],)),
    ("fetch_bids_asks", ([PERPETUAL],)),
    ("fetch_ohlcv", (PERPETUAL, "1m")),
    ("fetch_mark_ohlcv", (PERPETUAL, "1m")),
    ("fetch_index_ohlcv", (PERPETUAL, "1m")),
    ("fetch_premium_index_ohlcv", (PERPETUAL, "1m")),
    ("fetch_funding_rate", (PERPETUAL,)),
    ("fetch_funding_rates", ([PERPETUAL],)),
    ("fetch_funding_rate_history", (PERPETUAL,)),
    ("fetch_trades", (PERPETUAL,)),
    ("fetch_order_book", (PERPETUAL,)),
    ("fetch_open_interest", (PERPETUAL,)),
    ("fetch_open_interest_history", (PERPETUAL, "1h")),
    ("fetch_long_short_ratio_history", (PERPETUAL, "1h")),
    ("fetch_market_leverage_tiers", (PERPETUAL,)),
    ("fetch_leverage_tiers", ([PERPETUAL],)),
    ("fetch_balance", ()),
    ("set_leverage", (4, PERPETUAL)),
    ("fetch_leverage", (PERPETUAL,)),
    ("set_margin_mode", ("isolated", PERPETUAL)),
    ("set_position_mode", (False, PERPETUAL)),
    ("create_order", (PERPETUAL, "limit", "buy", 0.01, "{0.97}", {"clientOrderId": "c-1"})),
    ("edit_order", ("<c-1>", PERPETUAL, "limit", "buy", 0.02, "{0.96}")),
    ("fetch_open_order", ("<c-1>", PERPETUAL)),
    ("fetch_open_orders", (PERPETUAL,)),
    ("cancel_order", ("<c-1>", PERPETUAL)),
    (
        "create_orders",
        ([{"symbol": PERPETUAL, "type": "limit", "side": "buy", "amount": 0.01, "price": "{0.97}"}] * 2,),
    ),
    ("cancel_all_orders", (PERPETUAL,)),
    ("create_order", (PERPETUAL, "limit", "buy", 0.01, "{0.97}", {"clientOrderId": "c-2"})),
    (
        "edit_orders",
        ([{"id": "<c-2>", "symbol": PERPETUAL, "type": "limit", "side": "buy", "amount": 0.01, "price": "{0.95}"}],),
    ),
    ("cancel_orders", (["<c-2>"], PERPETUAL)),
    ("create_order", (PERPETUAL, "limit", "buy", 0.01, "{0.97}", {"clientOrderId": "c-3"})),
    ("cancel_orders_for_symbols", ([{"symbol": PERPETUAL, "id": "<c-3>"}],)),
    ("cancel_all_orders_after", (40_000,)),
    ("create_order", (PERPETUAL, "market", "buy", 0.02, None, {"clientOrderId": "c-4"})),
    ("fetch_position", (PERPETUAL,)),
    ("fetch_positions", ([PERPETUAL],)),
    ("create_trailing_amount_order", (PERPETUAL, "market", "sell", 0.02, None, 500)),
    ("fetch_closed_order", ("<c-4>", PERPETUAL)),
    ("fetch_closed_orders", (PERPETUAL,)),
    ("fetch_canceled_orders", (PERPETUAL,)),
    ("fetch_canceled_and_closed_orders", (PERPETUAL,)),
    ("fetch_order_trades", ("<c-4>", PERPETUAL)),
    ("fetch_my_trades", (PERPETUAL,)),
    ("create_order", (PERPETUAL, "market", "sell", 0.02, None, {"reduceOnly": True})),
    ("fetch_positions_history", ([PERPETUAL],)),
    ("fetch_my_liquidations", (PERPETUAL,)),
    ("fetch_ledger", ("USDT",)),
    ("fetch_funding_history", (PERPETUAL,)),
    ("fetch_trading_fee", (PERPETUAL,)),
    ("fetch_trading_fees", ()),
    ("fetch_transfers", ("USDT",)),
    ("fetch_deposits", ("USDT",)),
    ("fetch_withdrawals", ("USDT",)),
)


REFUSED_BY_BYBIT = {"set_position_mode": "110025", "cancel_all_orders_after": "10005"}
"""Methods of ccxt that raise what Bybit itself answers: the mode is so already; only institutions have that."""


def ccxt_of(url: str, key: Key) -> Any:
    """ccxt's bybit, pointed at *url*; ModuleNotFoundError where ccxt is not installed."""
    exchange = importlib.import_module("ccxt").bybit(
        {
            "apiKey": key.api_key,
            "secret": key.api_secret,
            "enableRateLimit": False,
            "options": {"defaultType": "swap", "fetchMarkets": {"types": ["linear"]}},
        }
    )
    exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], url)
    return exchange


def ccxt_answers(exchange: Any) -> list[tuple[str, str]]:
    """Every method with "" or the error it raised, one line."""
    answers: list[tuple[str, str]] = []
    try:
        exchange.load_markets()
    except Exception:  # noqa: BLE001 - coins are asked for first, and a venue may not tell them
        exchange.has["fetchCurrencies"] = False
        exchange.load_markets()
    last = Decimal(str(exchange.fetch_ticker(PERPETUAL)["last"]))
    ids: dict[str, str] = {}
    for method, args in CCXT:
        ready = _with_ids(filled_in(args, last), ids)
        try:
            got = getattr(exchange, method)(*ready)
        except Exception as error:  # noqa: BLE001 - whatever a client raises is the answer
            is_bybits = method in REFUSED_BY_BYBIT and f'"retCode":{REFUSED_BY_BYBIT[method]},' in str(error)
            answers.append((method, "" if is_bybits else f"{type(error).__name__} {error}"[:160]))
            continue
        if isinstance(got, dict) and got.get("clientOrderId"):
            ids[f"<{got['clientOrderId']}>"] = got["id"]
        if method == "create_order" and args[1] == "market":
            begun = exchange.fetch_time()
            while exchange.fetch_time() < begun + MATCHED_MS:
                continue
        answers.append((method, ""))
    return answers


def _with_ids(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _with_ids(part, ids) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_ids(part, ids) for part in value]
    return ids.get(value, value) if isinstance(value, str) else value


# --- counting ---------------------------------------------------------------------------------------------------------


def _tell(name: str, failed: Sequence[str], every: int) -> None:
    sys.stdout.write(f"{name}: {every - len(failed)} of {every} answered\n")
    for line in failed:
        sys.stdout.write(f"    {line}\n")


async def _count_pybit(running: Running) -> None:
    http = pybit_of(running.url, await running.account())
    answers = await asyncio.to_thread(pybit_answers, http, PYBIT)
    failed = [f"{call.method}: {code} {text}" for call, code, text in answers if code != call.code]
    _tell("pybit", failed, len(PYBIT))


async def _count_ccxt(running: Running) -> None:
    try:
        exchange = ccxt_of(running.url, await running.account())
    except ModuleNotFoundError:
        sys.stdout.write("ccxt: not installed here\n")
        return
    answers = await asyncio.to_thread(ccxt_answers, exchange)
    _tell("ccxt", [f"{method}: {text}" for method, text in answers if text], len(answers))


async def _count() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with served(SimulatorConfig("synthetic", Path(folder) / "sim.db", port=0)) as running:
            await _count_pybit(running)
            await _count_ccxt(running)


if __name__ == "__main__":
    asyncio.run(_count())
