"""
The signed routes around the trading of an account: its coins, its settings, and the businesses it does not do.

The simulator has one wallet, the unified one: nothing is borrowed, deposited, withdrawn or transferred, and the lists
of those are empty. What needs an institution, as disconnection protection does, is refused.
"""

from decimal import Decimal
from typing import Any

from lib.domain.position import ZERO
from lib.simulator.engine.orders import Refused
from lib.simulator.venue.call import Call
from lib.simulator.venue.market_routes import instrument_row
from lib.simulator.venue.wire import plain, rounded

Result = dict[str, Any]
ACCOUNTS = ("UNIFIED", "FUND")


def nothing(call: Call) -> Result:
    """An empty page."""
    return {"list": [], "nextPageCursor": ""}


def no_rows(call: Call) -> Result:
    """An empty page of deposits or withdrawals."""
    return {"rows": [], "nextPageCursor": ""}


def no_coins(call: Call) -> Result:
    """No coin can be transferred: there is one wallet."""
    call.params.required("fromAccountType")
    call.params.required("toAccountType")
    return {"list": []}


def _free(call: Call) -> Decimal:
    """The cash that could leave the account."""
    return max(min(call.engine.books.available(call.account), call.account.cash), ZERO)


def transferable(call: Call) -> Result:
    """What could leave the account, of each coin asked for."""
    wanted = call.params.required("coinName").split(",")
    of_each = {coin: rounded(_free(call)) if coin == "USDT" else "0" for coin in wanted}
    return {"availableWithdrawal": of_each[wanted[0]], "availableWithdrawalMap": of_each}


def withdrawable(call: Call) -> Result:
    """As `transferable`, by wallet; nothing can be withdrawn from a simulator."""
    coin = call.params.required("coin")
    free = rounded(_free(call)) if coin == "USDT" else "0"
    unified = {"coin": coin, "withdrawableAmount": "0", "availableBalance": free}
    return {"limitAmountUsd": "0", "withdrawableAmount": {"UTA": unified}}


def instruments(call: Call) -> Result:
    """Trading rules as they hold for this account: those of everybody."""
    call.linear()
    rows = [instrument_row(call.engine.books.instrument(symbol)) for symbol in call.symbols()]
    return {"category": "linear", "list": rows, "nextPageCursor": ""}


def collateral(call: Call) -> Result:
    """USDT, at its full worth; nothing can be borrowed."""
    row = {
        "currency": "USDT",
        "hourlyBorrowRate": "0",
        "maxBorrowingAmount": "0",
        "freeBorrowingLimit": "0",
        "freeBorrowAmount": "0",
        "freeBorrowingAmount": "",
        "borrowAmount": "0",
        "otherBorrowAmount": "0",
        "availableToBorrow": "0",
        "borrowable": False,
        "borrowUsageRate": "0",
        "marginCollateral": True,
        "collateralSwitch": True,
        "collateralRatio": "1",
    }
    return {"list": [row] if call.params.text("currency", "USDT") == "USDT" else []}


def greeks(call: Call) -> Result:
    """The greeks of options, of which nobody holds any."""
    return {"list": []}


def no_protection(call: Call) -> Result:
    """Disconnection protection is on for nothing."""
    return {"dcpInfos": []}


def institutional_only(call: Call) -> Result:
    """Refused: disconnection protection is for institutional clients."""
    call.params.required("timeWindow")
    call.params.integer("timeWindow", 0, 3, 300)
    raise Refused(10005, "Permission denied, please check your API key permissions.")


def smp_group(call: Call) -> Result:
    """No group: one account never trades with another here."""
    return {"smpGroup": 0}


def settings(call: Call) -> Result:
    """What becomes of a limit price out of range."""
    return {"lpaSpot": False, "lpaPerp": call.account.moves_prices, "smsef": False, "fmsef": False}


def set_price_action(call: Call) -> Result:
    """Move a limit price out of range to the end of the range (true), or refuse it (false)."""
    call.linear()
    call.params.required("category")
    call.engine.dealing.set_price_action(call.account.uid, call.params.flag("modifyEnable"))
    return {}


def wallet_types(call: Call) -> Result:
    """The wallets of the account."""
    return {"accounts": [{"uid": str(call.account.uid), "accountType": list(ACCOUNTS)}]}


# --- coins ------------------------------------------------------------------------------------------------------------


def coin_info(call: Call) -> Result:
    """The coins an account may hold, without a chain to send them by."""
    wanted = call.params.text("coin")
    known = [coin for coin in ("USDT", *call.account.coins) if wanted in ("", coin)]
    return {"rows": [{"name": coin, "coin": coin, "remainAmount": "0", "chains": []} for coin in known]}


def balances(call: Call) -> Result:
    """The balances of a wallet, of the coins asked for or all it has."""
    kind, wanted = call.params.one_of("accountType", "", ACCOUNTS), call.params.text("coin")
    coins = wanted.split(",") if wanted else ["USDT", *call.account.coins]
    rows = [_balance(call, kind, coin) for coin in coins]
    return {"memberId": str(call.account.uid), "accountType": kind, "balance": rows}


def balance(call: Call) -> Result:
    """The balance of one coin in a wallet."""
    kind, coin = call.params.one_of("accountType", "", ACCOUNTS), call.params.required("coin")
    row = _balance(call, kind, coin) | {"transferSafeAmount": "", "ltvTransferSafeAmount": ""}
    uid = str(call.account.uid)
    return {"accountType": kind, "bizType": 1, "accountId": uid, "memberId": uid, "balance": row}


def _balance(call: Call, kind: str, coin: str) -> Result:
    held = call.account.cash if coin == "USDT" else call.account.coins.get(coin, ZERO)
    free = _free(call) if coin == "USDT" else held
    held, free = (held, free) if kind == "UNIFIED" else (ZERO, ZERO)
    return {"coin": coin, "walletBalance": plain(held), "transferBalance": rounded(free), "bonus": ""}
