"""What an execution cost, each part in its own coin: only USDT leaves the USDT balance."""

import json
from decimal import Decimal
from typing import Any

import pytest

from lib.adapters.bybit.rest.order_wire import fill, order_record
from lib.domain.books import Charge
from lib.domain.position import ZERO
from tests.adapters.test_wire import EXECUTION, ORDER

GST = {"feeCoin": "USDT", "feeType": "GST", "subFeeType": "IND_GST", "feeRate": "0.000099", "fee": "0.0594"}
VAT = {"feeCoin": "MNT", "feeType": "VAT", "subFeeType": "ARE_VAT", "feeRate": "0.0000275", "fee": "0.0137"}


def executed(**changes: Any) -> tuple[Decimal, tuple[Charge, ...]]:
    """(fee, charges) of the execution with *changes*: 0.01 BTC at 60,000 for 0.33."""
    found = fill({**EXECUTION, **changes})
    return found.fee, found.charges


@pytest.mark.parametrize("extra", ["", None, [], "[]", "{}", "n/a", "[1]", "0", '"0.1"', "[[", {}])
@pytest.mark.parametrize("coin", ["", "USDT"])
def test_a_fee_in_usdt_alone_names_nothing(coin: str, extra: Any) -> None:
    assert executed(feeCurrency=coin, extraFees=extra) == (Decimal("0.33"), ())


def test_a_fee_in_another_coin_costs_no_usdt_and_is_worth_what_the_venue_reckoned() -> None:
    fee, [charge] = executed(feeCurrency="MNT", execFee="0.27372262")
    assert fee == 0
    assert charge == Charge("trading", "MNT", Decimal("0.27372262"), Decimal("0.33"))


@pytest.mark.parametrize("rate", ["", None])
def test_without_a_rate_nobody_says_what_it_is_worth(rate: str | None) -> None:
    _, [charge] = executed(feeCurrency="MNT", execFee="2.60041", feeRate=rate)
    assert charge == Charge("trading", "MNT", Decimal("2.60041"), None)


@pytest.mark.parametrize("told", [[GST], json.dumps([GST]), GST], ids=["list", "text", "one"])
def test_a_tax_in_usdt_leaves_the_balance_beside_the_fee_and_has_its_name(told: Any) -> None:
    fee, [charge] = executed(feeCurrency="USDT", extraFees=told)
    assert fee == Decimal("0.3894")
    assert charge == Charge("GST", "USDT", Decimal("0.0594"), Decimal("0.0594"))


def test_every_part_goes_to_its_own_coin() -> None:
    fee, parts = executed(feeCurrency="MNT", execFee="0.27", extraFees=[GST, VAT, {**GST, "feeType": "", "fee": "1"}])
    assert fee == Decimal("1.0594")
    assert [(part.kind, part.coin, part.amount) for part in parts] == [
        ("trading", "MNT", Decimal("0.27")),
        ("GST", "USDT", Decimal("0.0594")),
        ("VAT", "MNT", Decimal("0.0137")),
        ("tax", "USDT", Decimal(1)),
    ]
    assert parts[2].worth == Decimal("0.0165")


def test_a_rebate_comes_in_its_coin() -> None:
    assert executed(execFee="-0.1")[0] == Decimal("-0.1")
    fee, [charge] = executed(execFee="-0.1", feeCurrency="MNT", feeRate="-0.0001")
    assert (fee, charge) == (ZERO, Charge("trading", "MNT", Decimal("-0.1"), Decimal("-0.06")))


def test_a_number_in_json_is_as_exact_as_one_in_text() -> None:
    assert executed(extraFees='[{"feeCoin":"USDT","feeType":"GST","fee":0.10000000000000000001}]')[0] == Decimal(
        "0.43000000000000000001"
    )


@pytest.mark.parametrize("changes", [{"feeCurrency": "M N"}, {"feeCurrency": "A" * 21}, {"feeCurrency": "м"}])
@pytest.mark.parametrize("where", ["row", "extra"])
def test_what_is_no_coin_is_not_read(changes: dict[str, str], where: str) -> None:
    odd = changes if where == "row" else {"extraFees": [{**GST, "feeCoin": changes["feeCurrency"]}]}
    with pytest.raises(ValueError, match="no name of a coin"):
        executed(**odd)


@pytest.mark.parametrize("fee", ["x", "NaN", "1e999", 0.1])
def test_an_amount_that_is_none_is_not_read(fee: Any) -> None:
    with pytest.raises(ValueError, match="fee"):
        executed(extraFees=[{**GST, "fee": fee}])


@pytest.mark.parametrize(
    ("detail", "fee"),
    [
        ({"MNT": "0.00242968"}, "0"),
        ('{"MNT": "0.00242968"}', "0"),
        ({"MNT": "0.00242968", "USDT": "0.1"}, "0.1"),
        ('{"USDT": "0.1"}', "0.1"),
        ({"USDT": ""}, "0"),
        ({}, "0.33000825"),
        ("{}", "0.33000825"),
        ("", "0.33000825"),
        (None, "0.33000825"),
    ],
)
def test_an_orders_fee_is_what_left_in_usdt(detail: Any, fee: str) -> None:
    assert order_record({**ORDER, "cumFeeDetail": detail}).fee == Decimal(fee)
