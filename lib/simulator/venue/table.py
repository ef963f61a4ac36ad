"""
Every endpoint of the venue: its handler, and for a signed one its limit, the permission it needs, whether demo has it.

Limits are requests per second and account, as Bybit's tables say. https://bybit-exchange.github.io/docs/v5/rate-limit
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lib.simulator.venue import (
    account_routes,
    asset_routes,
    batch_routes,
    measure_routes,
    order_routes,
    position_routes,
    price_routes,
)
from lib.simulator.venue.call import Call
from lib.simulator.venue.fault_effects import STATUS
from lib.simulator.venue.market_routes import MarketRoutes

Handler = Callable[[Call], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Route:
    """A signed endpoint: its handler, requests per second and uid, the permission it needs."""

    handler: Handler
    per_second: int = 50
    right: str = ""
    writes: bool = False


def _trade(handler: Handler, right: str = "ContractTrade.Order", per_second: int = 10) -> Route:
    return Route(handler, per_second, right, writes=True)


SIGNED: dict[tuple[str, str], Route] = {
    ("GET", "/v5/account/wallet-balance"): Route(account_routes.wallet_balance),
    ("GET", "/v5/account/info"): Route(account_routes.account_info),
    ("POST", "/v5/account/set-margin-mode"): _trade(account_routes.set_margin_mode, "ContractTrade.Position", 5),
    ("GET", "/v5/account/fee-rate"): Route(account_routes.fee_rate, 5),
    ("GET", "/v5/account/transaction-log"): Route(account_routes.transaction_log, 25),
    ("GET", "/v5/account/withdrawal"): Route(asset_routes.transferable),
    ("GET", "/v5/account/instruments-info"): Route(asset_routes.instruments),
    ("GET", "/v5/account/collateral-info"): Route(asset_routes.collateral),
    ("GET", "/v5/account/borrow-history"): Route(asset_routes.nothing),
    ("GET", "/v5/account/query-dcp-info"): Route(asset_routes.no_protection, 5),
    ("GET", "/v5/account/smp-group"): Route(asset_routes.smp_group, 5),
    ("GET", "/v5/account/user-setting-config"): Route(asset_routes.settings, 5),
    ("POST", "/v5/account/set-limit-px-action"): _trade(asset_routes.set_price_action, "ContractTrade.Order", 5),
    ("GET", "/v5/asset/coin-greeks"): Route(asset_routes.greeks),
    ("GET", "/v5/asset/coin/query-info"): Route(asset_routes.coin_info, 5),
    ("GET", "/v5/asset/transfer/query-account-coins-balance"): Route(asset_routes.balances, 5),
    ("GET", "/v5/asset/transfer/query-account-coin-balance"): Route(asset_routes.balance, 5),
    ("GET", "/v5/asset/transfer/query-transfer-coin-list"): Route(asset_routes.no_coins, 5),
    ("GET", "/v5/asset/transfer/query-inter-transfer-list"): Route(asset_routes.nothing, 60),
    ("GET", "/v5/asset/deposit/query-record"): Route(asset_routes.no_rows, 5),
    ("GET", "/v5/asset/withdraw/query-record"): Route(asset_routes.no_rows, 5),
    ("GET", "/v5/asset/withdraw/withdrawable-amount"): Route(asset_routes.withdrawable, 5),
    ("GET", "/v5/user/get-member-type"): Route(asset_routes.wallet_types, 10),
    ("GET", "/v5/user/query-api"): Route(account_routes.query_api, 10),
    ("POST", "/v5/account/demo-apply-money"): Route(account_routes.apply_money, 10, writes=True),
    ("GET", "/v5/position/list"): Route(position_routes.position_list),
    ("GET", "/v5/position/symbol-info"): Route(position_routes.symbol_info),
    ("POST", "/v5/position/set-leverage"): _trade(position_routes.set_leverage, "ContractTrade.Position"),
    ("POST", "/v5/position/switch-mode"): _trade(position_routes.switch_mode, "ContractTrade.Position"),
    ("POST", "/v5/position/trading-stop"): _trade(position_routes.trading_stop, "ContractTrade.Position"),
    ("GET", "/v5/position/closed-pnl"): Route(position_routes.closed_pnl),
    ("POST", "/v5/position/set-auto-add-margin"): _trade(position_routes.set_auto_add_margin, "ContractTrade.Position"),
    ("POST", "/v5/position/add-margin"): _trade(position_routes.add_margin, "ContractTrade.Position"),
    ("POST", "/v5/position/set-risk-limit"): _trade(position_routes.set_risk_limit, "ContractTrade.Position"),
    ("POST", "/v5/position/confirm-pending-mmr"): _trade(position_routes.confirm_pending, "ContractTrade.Position"),
    ("POST", "/v5/position/switch-isolated"): _trade(position_routes.classic_only, "ContractTrade.Position"),
    ("POST", "/v5/position/set-tpsl-mode"): _trade(position_routes.classic_only, "ContractTrade.Position"),
    ("GET", "/v5/position/move-history"): Route(asset_routes.nothing, 10),
    ("POST", "/v5/order/create"): _trade(order_routes.create),
    ("POST", "/v5/order/pre-check"): _trade(order_routes.pre_check),
    ("POST", "/v5/order/amend"): _trade(order_routes.amend),
    ("POST", "/v5/order/create-batch"): _trade(batch_routes.create_batch),
    ("POST", "/v5/order/amend-batch"): _trade(batch_routes.amend_batch),
    ("POST", "/v5/order/cancel-batch"): _trade(batch_routes.cancel_batch),
    ("POST", "/v5/order/disconnected-cancel-all"): _trade(asset_routes.institutional_only, "ContractTrade.Order"),
    ("POST", "/v5/order/cancel"): _trade(order_routes.cancel),
    ("POST", "/v5/order/cancel-all"): _trade(order_routes.cancel_all),
    ("GET", "/v5/order/realtime"): Route(order_routes.realtime),
    ("GET", "/v5/order/history"): Route(order_routes.history),
    ("GET", "/v5/execution/list"): Route(order_routes.executions),
}

NOT_IN_DEMO = frozenset(
    {
        "/v5/account/withdrawal",
        "/v5/account/instruments-info",
        "/v5/account/query-dcp-info",
        "/v5/account/smp-group",
        "/v5/account/user-setting-config",
        "/v5/account/set-limit-px-action",
        "/v5/account/fee-rate",
        "/v5/asset/coin/query-info",
        "/v5/asset/transfer/query-account-coins-balance",
        "/v5/asset/transfer/query-account-coin-balance",
        "/v5/asset/transfer/query-transfer-coin-list",
        "/v5/asset/transfer/query-inter-transfer-list",
        "/v5/asset/deposit/query-record",
        "/v5/asset/withdraw/query-record",
        "/v5/asset/withdraw/withdrawable-amount",
        "/v5/user/get-member-type",
        "/v5/user/query-api",
        "/v5/position/symbol-info",
        "/v5/position/set-risk-limit",
        "/v5/position/confirm-pending-mmr",
        "/v5/position/move-history",
        "/v5/order/pre-check",
        "/v5/order/disconnected-cancel-all",
    }
)
DEMO_ROUTES = frozenset(path for _, path in SIGNED) - NOT_IN_DEMO
"""What Bybit lists as available to demo trading. https://bybit-exchange.github.io/docs/v5/demo"""


def public_routes(market: MarketRoutes) -> dict[tuple[str, str], Handler]:
    """The unsigned endpoints."""
    return {
        ("GET", "/v5/market/time"): market.time,
        ("GET", "/v5/market/kline"): market.kline,
        ("GET", "/v5/market/instruments-info"): market.instruments,
        ("GET", "/v5/market/tickers"): market.tickers,
        ("GET", "/v5/market/funding/history"): market.funding_history,
        ("GET", "/v5/market/risk-limit"): market.risk_limit,
        ("GET", "/v5/market/open-interest"): measure_routes.open_interest,
        ("GET", "/v5/market/account-ratio"): measure_routes.account_ratio,
        ("GET", "/v5/market/orderbook"): measure_routes.order_book,
        ("GET", "/v5/market/rpi_orderbook"): price_routes.rpi_order_book,
        ("GET", "/v5/market/mark-price-kline"): market.price_kline,
        ("GET", "/v5/market/index-price-kline"): market.price_kline,
        ("GET", "/v5/market/premium-index-price-kline"): market.premium_kline,
        ("GET", "/v5/market/recent-trade"): price_routes.recent_trades,
        ("GET", "/v5/market/price-limit"): price_routes.price_limit,
        ("GET", "/v5/market/index-price-components"): price_routes.index_components,
        ("GET", "/v5/market/insurance"): price_routes.insurance,
        ("GET", "/v5/market/adlAlert"): price_routes.adl_alert,
        ("GET", "/v5/market/fee-group-info"): price_routes.fee_groups,
        ("GET", "/v5/announcements/index"): price_routes.announcements,
        ("GET", STATUS): market.system_status,
    }
