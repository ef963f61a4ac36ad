"""Accounts that pay fees in another coin, or a tax beside them: rows as Bybit sends them, cash to the last decimal."""

import json
from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import Any

import pytest

from lib.domain.position import ZERO
from lib.simulator.engine.charges import BORN_WITH, PRICES, USDT, FeeTerms, cost
from lib.simulator.venue.pushes import PrivatePushes
from lib.simulator.venue.venue import Request
from tests.simulator.visitors import Visitor
from tests.worlds.venue import D, ScriptedMarket

EXECUTIONS, LOG, WALLET = "/v5/execution/list", "/v5/account/transaction-log", "/v5/account/wallet-balance"
TERMS = [FeeTerms(coin, tax) for coin in (USDT, "MNT") for tax in ("", "GST", "VAT")]


def calm(**account: Any) -> Visitor:
    return Visitor(market=ScriptedMarket(["60000"] * 7200), **account)


def traded(**account: Any) -> tuple[Visitor, dict[str, Any]]:
    """Somebody who bought 0.1, and the execution."""
    visitor = calm(**account)
    visitor.buy()
    visitor.later(100)
    [row] = visitor.rows(EXECUTIONS)
    return visitor, row


def test_who_pays_in_mnt_pays_no_usdt() -> None:
    visitor, row = traded(fee_coin="MNT")
    value = D(row["execPrice"]) * D(row["execQty"])
    assert (row["feeCurrency"], row["feeRate"], row["extraFees"]) == ("MNT", "0.00055", "")
    assert D(row["execFee"]) == (value * D("0.00055") / PRICES["MNT"]).quantize(D("1E-8"))
    [order] = visitor.rows("/v5/order/history")
    assert (order["cumExecFee"], order["cumFeeDetail"]) == ("0", {"MNT": row["execFee"]})
    assert visitor.engine.accounts[int(visitor.uid)].cash == 10_000
    coins = {coin["coin"]: coin["walletBalance"] for coin in visitor.rows(WALLET, accountType="UNIFIED")[0]["coin"]}
    assert coins == {"USDT": "10000", "MNT": str(BORN_WITH - D(row["execFee"]))}


def test_one_asks_for_the_log_of_a_coin() -> None:
    visitor, row = traded(fee_coin="MNT")
    usdt, mnt = (visitor.rows(LOG, currency=coin) for coin in ("USDT", "MNT"))
    assert [(r["type"], r["fee"], r["change"]) for r in usdt] == [("TRADE", "0", "0"), ("TRANSFER_IN", "0", "10000")]
    assert [(r["type"], r["fee"], r["change"]) for r in mnt] == [
        ("TRADE", row["execFee"], f"-{row['execFee']}"),
        ("TRANSFER_IN", "0", str(BORN_WITH)),
    ]


def test_a_tax_is_a_list_in_the_stream_and_text_by_rest() -> None:
    visitor = calm(tax="GST")
    pushes = PrivatePushes(visitor.engine)
    visitor.buy()
    visitor.later(100)
    [row] = visitor.rows(EXECUTIONS)
    [told] = json.loads(row["extraFees"])
    tax = D(row["execFee"]) * D("0.18")
    assert told == {
        "feeCoin": "USDT",
        "feeType": "GST",
        "subFeeType": "IND_GST",
        "feeRate": "0.000099",
        "fee": f"{tax.normalize():f}",
    }
    [pushed] = [frame["data"][0] for _, topic, frame in pushes.drain() if topic == "execution"]
    assert pushed["extraFees"] == [told]
    assert visitor.engine.accounts[int(visitor.uid)].cash == 10_000 - D(row["execFee"]) - tax


def test_who_has_no_mnt_left_pays_in_usdt() -> None:
    visitor, _ = traded(fee_coin="MNT")
    visitor.engine.accounts[int(visitor.uid)].coins["MNT"] = D("0.01")
    visitor.buy()
    visitor.later(100)
    newest = visitor.rows(EXECUTIONS)[0]
    value = D(newest["execPrice"]) * D(newest["execQty"])
    assert (newest["feeCurrency"], D(newest["execFee"])) == ("USDT", value * D("0.00055"))


@pytest.mark.parametrize("terms", TERMS, ids=str)
def test_every_balance_is_the_sum_of_its_rows(terms: FeeTerms) -> None:
    visitor = calm(fee_coin=terms.coin, tax=terms.tax)
    for side in ("Buy", "Sell", "Sell", "Buy"):
        visitor.post("/v5/order/create", side=side, orderType="Market", qty="0.1")
        visitor.later(1_000)
    account = visitor.engine.accounts[int(visitor.uid)]
    rows = visitor.engine.books.history[account.uid].transactions
    with localcontext(prec=80):
        sums = {coin: sum((row.change for row in rows if row.currency == coin), ZERO) for coin in (USDT, "MNT")}
    assert sums == {USDT: account.cash, "MNT": account.coins.get("MNT", ZERO)}
    assert visitor.engine.books.available(account) == account.cash


def test_margin_is_reckoned_with_the_tax() -> None:
    taxed, plain = (calm(tax=tax, balance="1000") for tax in ("GST", ""))
    free = [visitor.engine.books.fee_rate(visitor.engine.accounts[int(visitor.uid)]) for visitor in (taxed, plain)]
    assert free == [D("0.000649"), D("0.00055")]


def test_terms_outlive_the_simulator() -> None:
    visitor, _ = traded(fee_coin="MNT", tax="VAT")
    engine, other = visitor.engine, calm().engine
    kept = engine.export_account(int(visitor.uid)) | {"uid": 7, "keys": []}
    account = other.import_account(kept)
    assert (account.terms, account.coins) == (FeeTerms("MNT", "VAT"), engine.accounts[int(visitor.uid)].coins)
    old = {name: value for name, value in kept.items() if name not in ("terms", "coins")} | {"uid": 8}
    assert other.import_account(old).terms == FeeTerms()


@pytest.mark.parametrize("body", [{"fee_coin": "DOGE"}, {"tax": "TOLL"}, {"fee_coin": 1}])
def test_terms_nobody_offers_are_refused(body: dict[str, Any]) -> None:
    response = calm().venue.handle(Request("POST", "/sim/accounts", body=json.dumps(body).encode()))
    assert response.status == 400


def _values() -> Iterator[Decimal]:
    return map(Decimal, ("0.001", "60", "123456.789"))


@pytest.mark.parametrize("terms", TERMS, ids=str)
def test_a_cost_is_whole_in_one_coin(terms: FeeTerms) -> None:
    for value in _values():
        for has in ({}, {"MNT": D(10**9)}):
            found = cost(terms, has, value, D("0.00055"))
            assert found.coin == (terms.coin if found.total <= has.get(terms.coin, ZERO) else USDT)
            assert {part.coin for part in found.extra} <= {found.coin}
            assert found.total == found.fee + sum((part.fee for part in found.extra), ZERO)
            assert [part.kind for part in found.extra] == [terms.tax] * bool(terms.tax)
