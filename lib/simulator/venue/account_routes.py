"""The signed routes about an account as a whole: wallet, modes, fees, ledger, its key, and play money."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from lib.domain.position import ZERO
from lib.simulator.engine.accounts import ApiKey
from lib.simulator.engine.orders import Refused
from lib.simulator.venue.call import Call, Params
from lib.simulator.venue.paging import DAY_MS, between, page, window
from lib.simulator.venue.wire import plain, transaction_row, wallet_row

Result = dict[str, Any]
MOST_PLAY_MONEY = Decimal(100_000)
KEY_LIFE_DAYS = 90
PERMISSION_GROUPS = ("ContractTrade", "Spot", "Wallet", "Options", "Derivatives", "Exchange", "Earn", "Affiliate")


def wallet_balance(call: Call) -> Result:
    """The balances of the coins asked for, all unless said; a coin without balance is left out."""
    call.params.one_of("accountType", "UNIFIED", ("UNIFIED",))
    row = wallet_row(call.engine.books, call.account)
    if wanted := call.params.text("coin"):
        row["coin"] = [coin for coin in row["coin"] if coin["coin"] in wanted.split(",")]
    return {"list": [row]}


def account_info(call: Call) -> Result:
    """The account's modes, as of a unified account."""
    return {
        "marginMode": call.account.margin_mode,
        "updatedTime": str(call.account.created_ms),
        "unifiedMarginStatus": 5,
        "dcpStatus": "OFF",
        "timeWindow": 10,
        "smpGroup": 0,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
    }


def set_margin_mode(call: Call) -> Result:
    """Set the margin mode of the whole account; demo trading stays in cross margin."""
    wanted = call.params.required("setMarginMode")
    if call.account.is_demo and wanted == "ISOLATED_MARGIN":
        raise Refused(110073, "Set margin mode failed")
    call.engine.dealing.set_margin_mode(call.account.uid, wanted)
    return {"reasons": []}


def fee_rate(call: Call) -> Result:
    """The account's fee rates, the same for every symbol."""
    call.linear()
    wanted = call.params.text("symbol")
    symbols = [call.symbol()] if wanted else list(call.engine.books.instruments)
    config = call.engine.config
    rates = {"takerFeeRate": plain(config.taker_fee), "makerFeeRate": plain(config.maker_fee)}
    return {"category": "linear", "list": [{"symbol": symbol, **rates} for symbol in symbols]}


def transaction_log(call: Call) -> Result:
    """Changes of the balances, newest first; the last 24 hours unless said otherwise."""
    currency, kind = call.params.text("currency"), call.params.text("type")
    history = call.engine.books.history[call.account.uid]
    recent = between(history.transactions, window(call.params, call.now, DAY_MS), lambda row: row.at_ms)
    rows = [row for row in recent if kind in ("", row.kind) and currency in ("", row.currency)]
    shown, cursor = page(rows, call.params, lambda row: row.seq, (20, 50))
    return {"list": [transaction_row(row) for row in shown], "nextPageCursor": cursor}


def query_api(call: Call) -> Result:
    """The record of the key that signed the request; never its secret."""
    key, account = call.key, call.account
    return {
        "id": str(account.uid),
        "note": account.label,
        "apiKey": key.key,
        "readOnly": int(key.read_only),
        "secret": "",
        "permissions": {group: key.permissions.get(group, []) for group in PERMISSION_GROUPS},
        "ips": key.ips or ["*"],
        "type": 1,
        "deadlineDay": _days_left(key, call.now),
        "expiredAt": _iso(0 if key.ips else key.created_ms + KEY_LIFE_DAYS * DAY_MS),
        "createdAt": _iso(key.created_ms),
        "unified": 0,
        "uta": 1,
        "userID": account.uid,
        "inviterID": 0,
        "vipLevel": "No VIP",
        "mktMakerLevel": "0",
        "affiliateID": 0,
        "rsaPublicKey": "",
        "isMaster": True,
        "parentUid": "0",
        "kycLevel": "LEVEL_DEFAULT",
        "kycRegion": "",
    }


def _days_left(key: ApiKey, now: int) -> int:
    return 0 if key.ips else max(KEY_LIFE_DAYS - (now - key.created_ms) // DAY_MS, 0)


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def apply_money(call: Call) -> Result:
    """Pay play money in (adjustType 0) or out (1), at most 100,000 USDT a request."""
    sign = 1 - 2 * call.params.integer("adjustType", 0, 0, 1)
    amount = sum(map(_play_money, call.params.items("utaDemoApplyMoney")), ZERO)
    try:
        call.engine.dealing.deposit(call.account.uid, sign * amount)
    except ValueError as error:
        raise Refused(10001, f"params error: {error}") from None
    return {}


def _play_money(item: dict[str, Any]) -> Decimal:
    amount = Params(item).positive("amountStr")
    if item.get("coin") != "USDT" or not 0 < amount <= MOST_PLAY_MONEY:
        raise Refused(10001, "params error: coin or amount invalid")
    return amount
