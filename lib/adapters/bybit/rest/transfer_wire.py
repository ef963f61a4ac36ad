"""
Transfers on Bybit's v5 wire: rows of the transaction log that no execution explains.

The log lists every change of the balance. Changes by trading perpetuals (trades, funding, liquidations) are known from
the executions and left out; every other type counts, an unknown type too: it moved money.
https://bybit-exchange.github.io/docs/v5/account/transaction-log
"""

import hashlib

from lib.adapters.bybit.rest.wire import Row, millis, number_or_zero, text
from lib.domain.books import Transfer, TransferKind

TRANSACTIONS = "/v5/account/transaction-log"
TRANSACTION_PAGE = 50
COIN = "USDT"

_EXECUTED = {"TRADE", "SETTLEMENT", "DELIVERY", "LIQUIDATION", "ADL"}
_OTHER_MARKETS = {"spot", "option"}
_KINDS: dict[str, TransferKind] = {
    "DEPOSIT": "deposit",
    "WITHDRAW": "withdrawal",
    "TRANSFER_IN": "transfer",
    "TRANSFER_OUT": "transfer",
    "AIRDROP": "bonus",
    "BONUS": "bonus",
    "BONUS_RECOLLECT": "bonus",
}
_ID_MAX = 100


def transfer(row: Row) -> Transfer | None:
    """One row of the log; None when an execution explains the row or it left the USDT balance as it was."""
    kind, amount = text(row, "type"), number_or_zero(row, "change")
    executed = kind in _EXECUTED and text(row, "category") not in _OTHER_MARKETS
    if executed or not amount or text(row, "currency") != COIN:
        return None
    return Transfer(_id(row), _KINDS.get(kind, "other"), amount, millis(row, "transactionTime"))


def _id(row: Row) -> str:
    """The venue's id of the row, or a stand-in that is the same whenever the row is read."""
    given = text(row, "id")
    if given and given.isascii() and given.isprintable() and len(given) <= _ID_MAX:
        return given
    names = ("id", "type", "transactionTime", "change", "cashBalance", "orderId", "tradeId")
    return hashlib.sha256("\x1f".join(text(row, name) for name in names).encode()).hexdigest()
