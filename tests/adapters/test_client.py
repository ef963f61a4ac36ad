"""What our signed client does with every kind of answer, against a scripted venue."""

import hashlib
import json
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.adapters.bybit.limits.limiter import LocalLimiter
from lib.adapters.bybit.rest.client import WINDOW_MS
from lib.adapters.bybit.signing import signature
from lib.clock import SteppedClock
from lib.domain.books import Fill
from lib.domain.errors import Pause, Retry
from lib.domain.exchange_records import SendReply
from lib.domain.order import OrderState, SendOutcome
from tests.adapters.scripted import KEY, NOW, Asked, ScriptedTransport, exchange, page, reply
from tests.adapters.test_wire import EXECUTION, ORDER, POSITION
from tests.factories import order

DAY = 86_400_000


def signed_right(asked: Asked) -> bool:
    """Whether the signature covers exactly the bytes that travelled."""
    headers = asked.headers
    payload = asked.body if asked.method == "POST" else asked.query.encode()
    plain = f"{headers['X-BAPI-TIMESTAMP']}{KEY.api_key}5000".encode() + payload
    return headers["X-BAPI-SIGN"] == signature(KEY.api_secret, plain)


# --- reads -----------------------------------------------------------------------------------------------------------


async def test_every_call_is_signed_over_the_bytes_that_travel() -> None:
    venue = ScriptedTransport(page(POSITION), reply())
    account = exchange(venue)
    await account.position("BTCUSDT")
    await account.set_leverage("BTCUSDT", 7)
    assert all(signed_right(asked) for asked in venue.asked)


async def test_a_read_is_stamped_by_the_venues_clock_and_never_ahead_of_it() -> None:
    venue = ScriptedTransport(page(POSITION))
    venue.server_ms = NOW + 3_000
    await exchange(venue, SteppedClock(NOW)).position("BTCUSDT")
    assert int(venue.asked[0].headers["X-BAPI-TIMESTAMP"]) == NOW + 2_900


async def test_a_refused_stamp_is_retry_and_the_clock_is_measured_again() -> None:
    venue = ScriptedTransport(reply(code=10002, message="invalid request"), page(POSITION))
    account = exchange(venue)
    with pytest.raises(Retry, match="10002"):
        await account.position("BTCUSDT")
    venue.server_ms = NOW - 4_000
    await account.position("BTCUSDT")
    assert int(venue.asked[1].headers["X-BAPI-TIMESTAMP"]) == NOW - 4_100


async def test_a_question_about_the_time_that_is_long_on_its_way_stamps_nothing_ahead() -> None:
    clock = SteppedClock(NOW)
    venue = ScriptedTransport(page(POSITION))
    venue.server_ms = NOW + 3_000
    venue.on_time = lambda: clock.advance_to(
        clock.now_ms() + 3_000
    )  # the venue's clock is ours, and all of the time was the way there
    await exchange(venue, clock).position("BTCUSDT")
    assert int(venue.asked[0].headers["X-BAPI-TIMESTAMP"]) == clock.now_ms() == NOW + 3_000


async def test_waiting_for_its_turn_is_no_part_of_the_way_to_the_venue() -> None:
    clock = SteppedClock(NOW)
    venue = ScriptedTransport(page(POSITION))
    venue.server_ms = NOW + 3_000

    class Crowded(LocalLimiter):
        async def admit(self, account: str, path: str, **how: Any) -> None:
            if path == "/v5/market/time":
                clock.advance_to(clock.now_ms() + 3_000)

    await exchange(venue, clock, Crowded(clock)).position("BTCUSDT")
    assert int(venue.asked[0].headers["X-BAPI-TIMESTAMP"]) == NOW + 2_900


@pytest.mark.parametrize("code", [10003, 33004, 10004, 10005, 10010])
async def test_a_refused_key_pauses_the_account(code: int) -> None:
    with pytest.raises(Pause, match=str(code)):
        await exchange(ScriptedTransport(reply(code=code, message="key"))).wallet()


@pytest.mark.parametrize(
    "trouble",
    [
        TimeoutError(),
        ConnectionResetError("reset"),
        (500, {}, b"<html>"),
        (200, {}, b"<html>"),
        reply(code=10016),
        reply(code=10006),
        reply(code=424242),
        reply({"no": "list"}),
        reply({"list": [7]}),
    ],
)
async def test_any_other_trouble_with_a_read_is_retry(trouble: Any) -> None:
    with pytest.raises(Retry):
        await exchange(ScriptedTransport(trouble)).position("BTCUSDT")


async def test_a_read_is_never_repeated_by_itself() -> None:
    venue = ScriptedTransport(TimeoutError(), page(POSITION))
    with pytest.raises(Retry):
        await exchange(venue).position("BTCUSDT")
    assert len(venue.asked) == 1


async def test_no_secret_is_in_an_error() -> None:
    venue = ScriptedTransport(reply(code=10004, message="error sign: api_secret=SECRETxyz"))
    with pytest.raises(Pause) as caught:
        await exchange(venue).wallet()
    assert "SECRETxyz" not in str(caught.value)


async def test_http_403_stops_every_call_for_ten_minutes() -> None:
    venue, clock = ScriptedTransport((403, {}, b"access too frequent"), page(POSITION)), SteppedClock(NOW)
    account = exchange(venue, clock)
    with pytest.raises(Retry):
        await account.position("BTCUSDT")
    clock.advance_to(NOW + 599_000)
    with pytest.raises(Retry, match="address_blocked"):
        await account.position("BTCUSDT")
    assert len(venue.asked) == 1
    clock.advance_to(NOW + 600_000)
    assert not (await account.position("BTCUSDT")).is_flat


async def test_a_throttled_endpoint_rests_until_the_venues_reset() -> None:
    status, _, body = reply(code=10006)
    reset = {"X-Bapi-Limit-Reset-Timestamp": str(NOW + 700)}
    venue, clock = ScriptedTransport((status, reset, body), page(POSITION)), SteppedClock(NOW)
    account = exchange(venue, clock)
    with pytest.raises(Retry):
        await account.position("BTCUSDT")
    await account.position("BTCUSDT")
    assert clock.now_ms() == NOW + 700


# --- settings of the account ------------------------------------------------------------------------------------------


async def test_leverage_already_so_is_success() -> None:
    venue = ScriptedTransport(reply(code=110043, message="leverage not modified"))
    await exchange(venue).set_leverage("BTCUSDT", 7)
    assert venue.asked[0].fields == {
        "category": "linear", "symbol": "BTCUSDT", "buyLeverage": "7", "sellLeverage": "7",
    }  # fmt: skip


@pytest.mark.parametrize("code", [110013, 10016, 424242])
async def test_doubt_about_leverage_is_an_error(code: int) -> None:
    with pytest.raises(Retry):
        await exchange(ScriptedTransport(reply(code=code))).set_leverage("BTCUSDT", 125)


@pytest.mark.parametrize(("code", "done"), [(0, True), (34040, True), (10001, False), (110092, False)])
async def test_a_stop_is_set_or_refused(code: int, done: bool) -> None:
    venue = ScriptedTransport(reply(code=code))
    assert await exchange(venue).set_trading_stop("BTCUSDT", Decimal("58800.0"), Decimal(0)) is done
    fields = venue.asked[0].fields
    assert (fields["stopLoss"], fields["takeProfit"], fields["tpslMode"]) == ("58800.0", "0", "Full")
    assert (fields["slTriggerBy"], fields["positionIdx"]) == ("MarkPrice", 0)


async def test_a_stop_that_may_have_been_set_is_retry() -> None:
    with pytest.raises(Retry):
        await exchange(ScriptedTransport(reply(code=10000))).set_trading_stop("BTCUSDT", Decimal(1), Decimal(2))


# --- orders ----------------------------------------------------------------------------------------------------------


async def test_exactly_the_signed_bytes_are_sent_once() -> None:
    venue = ScriptedTransport(reply({"orderId": "x", "orderLinkId": order().order_link_id}))
    account = exchange(venue)
    signed = account.sign_order(order(), NOW + 5)
    assert await account.send_order(signed) == SendReply(SendOutcome.ACCEPTED, "OK", 0)
    [asked] = venue.asked
    assert (asked.path, asked.body, asked.headers["X-BAPI-TIMESTAMP"]) == (
        "/v5/order/create",
        signed.body,
        str(NOW + 5),
    )
    assert signed.body_sha256 == hashlib.sha256(asked.body).hexdigest()
    assert signed_right(asked)
    assert b" " not in asked.body


async def test_signing_is_a_pure_function_of_order_key_and_time() -> None:
    account = exchange(ScriptedTransport())
    assert account.sign_order(order(), NOW) == account.sign_order(order(), NOW)
    assert "SECRET" not in repr(account.sign_order(order(), NOW))
    assert KEY.api_key not in repr(account.sign_order(order(), NOW))


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (TimeoutError(), None),
        (ConnectionResetError("gone"), None),
        ((502, {}, b"<html>bad gateway</html>"), None),
        ((503, {}, json.dumps({"retCode": 10006, "time": 1}).encode()), None),
        ((200, {}, b""), None),
        (reply(code=10006), 10006),
        (reply(code=10002), 10002),
        (reply(code=110072), 110072),
        (reply(code=10016), 10016),
        (reply(code=110007), 110007),
        (reply(code=424242), 424242),
    ],
)
async def test_a_send_never_raises_and_only_http_200_is_the_venues_word(outcome: Any, code: int | None) -> None:
    venue = ScriptedTransport(outcome)
    account = exchange(venue)
    ack = await account.send_order(account.sign_order(order(), NOW))
    assert ack.code == code
    assert len(venue.asked) == 1


@given(st.binary(max_size=200), st.integers(100, 599))
async def test_no_reply_whatever_makes_a_send_raise(body: bytes, status: int) -> None:
    account = exchange(ScriptedTransport((status, {}, body)))
    assert (await account.send_order(account.sign_order(order(), NOW))).code is None


# --- finding an order ------------------------------------------------------------------------------------------------

REJECTED_TWIN = {
    **ORDER, "orderId": "twin", "orderStatus": "Rejected", "rejectReason": "EC_DuplicatedClOrdID", "cumExecQty": "0",
}  # fmt: skip
LINK = str(ORDER["orderLinkId"])


async def test_an_order_found_at_once_ends_the_search() -> None:
    venue = ScriptedTransport(page(ORDER, time=NOW + 1))
    answer = await exchange(venue).find_order("BTCUSDT", LINK)
    assert [record.state for record in answer.records] == [OrderState.FILLED]
    assert answer.time == NOW + 1
    assert [asked.path for asked in venue.asked] == ["/v5/order/realtime"]


async def test_absence_needs_three_empty_answers_and_keeps_the_smallest_time() -> None:
    venue = ScriptedTransport(page(time=NOW + 9), page(time=NOW + 2), page(time=NOW + 5))
    answer = await exchange(venue).find_order("BTCUSDT", LINK)
    assert (answer.records, answer.fills, answer.time) == ((), (), NOW + 2)
    assert [asked.path for asked in venue.asked] == ["/v5/order/realtime", "/v5/order/history", "/v5/execution/list"]
    assert all(asked.params["orderLinkId"] == LINK for asked in venue.asked)


async def test_a_rejected_twin_does_not_end_the_search() -> None:
    venue = ScriptedTransport(page(REJECTED_TWIN), page(ORDER, REJECTED_TWIN))
    answer = await exchange(venue).find_order("BTCUSDT", LINK)
    assert {record.order_id for record in answer.records} == {"twin", ORDER["orderId"]}


async def test_executions_alone_show_that_an_order_was_accepted() -> None:
    answer = await exchange(ScriptedTransport(page(), page(), page(EXECUTION))).find_order("BTCUSDT", LINK)
    assert answer.records == ()
    assert [found.exec_id for found in answer.fills] == ["e0cbe81d"]


@pytest.mark.parametrize("failing", [0, 1, 2])
async def test_a_failed_query_proves_nothing(failing: int) -> None:
    script: list[Any] = [page(), page(), page()]
    script[failing] = TimeoutError()
    with pytest.raises(Retry):
        await exchange(ScriptedTransport(*script)).find_order("BTCUSDT", LINK)


# --- lists -----------------------------------------------------------------------------------------------------------


def execution(exec_id: str, at_ms: int) -> dict[str, Any]:
    return {**EXECUTION, "execId": exec_id, "execTime": str(at_ms)}


async def test_fills_come_from_every_page_oldest_first_each_once() -> None:
    first = page(execution("d", NOW - 1), execution("c", NOW - 2), cursor="p%3A1")
    second = page(execution("c", NOW - 2), execution("b", NOW - 2), execution("a", NOW - 9))
    venue = ScriptedTransport(first, second)
    fills = await exchange(venue).fills_since("BTCUSDT", NOW - 100)
    assert [found.exec_id for found in fills] == ["a", "b", "c", "d"]
    assert venue.asked[1].params["cursor"] == "p%3A1"
    assert signed_right(venue.asked[1])


async def test_history_is_asked_in_windows_of_at_most_seven_days() -> None:
    venue = ScriptedTransport(*[page() for _ in range(3)])
    await exchange(venue).fills_since("BTCUSDT", NOW - 15 * DAY)
    windows = sorted((int(asked.params["startTime"]), int(asked.params["endTime"])) for asked in venue.asked)
    assert windows[0][0] == NOW - 15 * DAY
    assert windows[-1][1] >= NOW
    assert all(end - start <= WINDOW_MS for start, end in windows)
    assert all(later[0] == earlier[1] + 1 for earlier, later in pairwise(windows))


@given(st.lists(st.integers(0, 20 * DAY), max_size=40))
async def test_no_execution_is_lost_between_windows(ages: list[int]) -> None:
    rows = sorted((NOW - age for age in ages), reverse=True)

    def answer(asked: Asked) -> Any:
        start, end = int(asked.params["startTime"]), int(asked.params["endTime"])
        return page(*(execution(f"x{n}", at) for n, at in enumerate(rows) if start <= at <= end))

    fills: list[Fill] = await exchange(ScriptedTransport(*[answer] * 4)).fills_since("BTCUSDT", NOW - 20 * DAY)
    assert [found.at_ms for found in fills] == rows[::-1]


async def test_pages_that_never_end_are_retry() -> None:
    turns = iter(range(10**6))
    venue = ScriptedTransport(*[lambda _: page(execution("a", NOW), cursor=f"c{next(turns)}")] * 1_100)
    with pytest.raises(Retry, match="venue_pages_endless"):
        await exchange(venue).fills_since("BTCUSDT", NOW - 1)


async def test_a_closed_record_beats_an_open_one_wherever_it_came_from() -> None:
    still_open = {**ORDER, "orderStatus": "New", "cumExecQty": "0"}
    created = int(str(ORDER["createdTime"]))
    scripts: tuple[tuple[list[Any], ...], ...] = ([still_open], [], [ORDER]), ([ORDER], [], [still_open])
    for script in scripts:
        venue = ScriptedTransport(*(page(*rows) for rows in script))
        venue.server_ms = created + 1
        [record] = await exchange(venue, SteppedClock(created + 1)).orders_since("BTCUSDT", created)
        assert record.state is OrderState.FILLED


async def test_orders_since_are_of_any_state_oldest_first() -> None:
    created = int(str(ORDER["createdTime"]))
    rows = [{**ORDER, "orderId": f"o{n}", "createdTime": str(created + n)} for n in range(4)]
    venue = ScriptedTransport(page(rows[3]), page(rows[1], rows[0]), page(rows[2], rows[1]))
    venue.server_ms = created + 10
    found = await exchange(venue, SteppedClock(created + 10)).orders_since("BTCUSDT", created + 1)
    assert [record.order_id for record in found] == ["o1", "o2", "o3"]
    assert [asked.params.get("openOnly") for asked in venue.asked] == ["0", "1", None]
