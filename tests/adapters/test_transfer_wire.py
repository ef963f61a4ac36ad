"""Rows of the transaction log: what executions explain is left out, everything else that moved money counts."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from lib.adapters.bybit.rest.client import WINDOW_MS
from lib.adapters.bybit.rest.transfer_wire import transfer
from lib.adapters.bybit.rest.wire import Row
from lib.domain.errors import Pause, Retry
from tests.adapters.scripted import NOW, Asked, Reply, ScriptedTransport, exchange, page, reply

DAY = 86_400_000
LOGGED: Row = {
    "id": "592324_USDT_161440249321",
    "symbol": "",
    "category": "",
    "side": "None",
    "transactionTime": str(NOW),
    "type": "TRANSFER_IN",
    "qty": "0",
    "size": "0",
    "currency": "USDT",
    "tradePrice": "0",
    "funding": "",
    "fee": "0",
    "cashFlow": "250.5",
    "change": "250.5",
    "cashBalance": "10250.5",
    "feeRate": "0",
    "bonusChange": "",
    "tradeId": "0",
    "orderId": "",
    "orderLinkId": "",
}


def logged(**changes: Any) -> Row:
    return {**LOGGED, **changes}


@pytest.mark.parametrize(
    ("kind", "meant"),
    [
        ("DEPOSIT", "deposit"),
        ("WITHDRAW", "withdrawal"),
        ("TRANSFER_IN", "transfer"),
        ("TRANSFER_OUT", "transfer"),
        ("BONUS", "bonus"),
        ("BONUS_RECOLLECT", "bonus"),
        ("AIRDROP", "bonus"),
        ("FEE_REFUND", "other"),
        ("INTEREST", "other"),
        ("CURRENCY_BUY", "other"),
        ("A_TYPE_OF_NEXT_YEAR", "other"),
    ],
)
def test_a_row_that_moved_money_is_a_transfer(kind: str, meant: str) -> None:
    row = transfer(logged(type=kind, change="-1.25"))
    assert row is not None
    assert (row.kind, row.amount, row.at_ms, row.transfer_id) == (meant, Decimal("-1.25"), NOW, LOGGED["id"])


@pytest.mark.parametrize("kind", ["TRADE", "SETTLEMENT", "LIQUIDATION", "ADL", "DELIVERY"])
@pytest.mark.parametrize("category", ["linear", "", "inverse"])
def test_what_an_execution_explains_is_none(kind: str, category: str) -> None:
    assert transfer(logged(type=kind, category=category)) is None


@pytest.mark.parametrize("category", ["spot", "option"])
def test_a_trade_on_another_market_is_no_execution_of_ours(category: str) -> None:
    row = transfer(logged(type="TRADE", category=category))
    assert row is not None
    assert row.kind == "other"


def test_another_coin_and_an_unchanged_balance_are_none() -> None:
    assert transfer(logged(currency="BTC")) is None
    assert transfer(logged(change="0")) is None
    assert transfer(logged(change="")) is None


@pytest.mark.parametrize("given", ["", "아이디", "x" * 101, "a\tb"])
def test_a_row_without_a_usable_id_has_the_same_stand_in_every_time(given: str) -> None:
    first, again = transfer(logged(id=given)), transfer(logged(id=given))
    other = transfer(logged(id=given, transactionTime=str(NOW + 1)))
    assert first is not None
    assert other is not None
    assert first == again
    assert first.transfer_id != other.transfer_id
    assert len(first.transfer_id) == 64


@pytest.mark.parametrize("spoiled", [{"change": "NaN"}, {"change": "1e400"}, {"transactionTime": "soon"}, {"type": 5}])
async def test_a_row_that_cannot_be_read_proves_nothing(spoiled: dict[str, Any]) -> None:
    with pytest.raises(Retry, match="venue_answer_bad"):
        await exchange(ScriptedTransport(page(logged(**spoiled)))).transfers_since(NOW - 1_000)


async def test_a_long_time_is_asked_for_in_windows_without_a_gap() -> None:
    asked: list[Asked] = []

    def answer(question: Asked) -> Reply:
        asked.append(question)
        return page(logged(id="same"))

    found = await exchange(ScriptedTransport(*[answer] * 5)).transfers_since(NOW - 30 * DAY)
    windows = sorted((int(one.params["startTime"]), int(one.params["endTime"])) for one in asked)
    assert windows[0][0] == NOW - 30 * DAY
    assert windows[-1][1] >= NOW
    assert all(later[0] == earlier[1] + 1 for earlier, later in pairwise(windows))
    assert all(end - start == WINDOW_MS for start, end in windows)
    assert [row.transfer_id for row in found] == ["same"]
    assert asked[0].params["currency"] == "USDT"
    assert "category" not in asked[0].params


async def test_an_order_that_is_not_there_is_cancelled_already() -> None:
    venue = ScriptedTransport(*(reply(code=code) for code in (0, 110001, 110008, 110010)))
    account = exchange(venue)
    for _ in range(4):
        await account.cancel_order("BTCUSDT", "mm-1")
    assert venue.asked[0].fields == {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "mm-1"}


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (reply(code=10001, message="params error"), Retry),
        (reply(code=10016), Retry),
        (reply(code=110001, status=500), Retry),
        (reply(code=10003), Pause),
    ],
    ids=["refused", "unknown", "a gateway's page", "key"],
)
async def test_a_cancel_the_venue_does_not_confirm_is_not_success(answer: Reply, trouble: type[Exception]) -> None:
    with pytest.raises(trouble):
        await exchange(ScriptedTransport(answer)).cancel_order("BTCUSDT", "mm-1")
