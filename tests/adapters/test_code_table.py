"""Bybit's whole error table, code by code, for reads, writes and orders: one reaction each, none overlooked."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.adapters.bybit.codes import GROUPS, KINDS, Kind, Reaction, alarming, reaction, send_outcome
from lib.adapters.bybit.limits.limiter import LocalLimiter
from lib.adapters.bybit.rest.calls import public
from lib.clock import SteppedClock
from lib.domain.errors import Pause, Retry
from lib.domain.order import OrderState, SendOutcome, after_hint
from tests.adapters.scripted import NOW, ScriptedTransport, exchange, reply
from tests.factories import order

R = Reaction


@dataclass(frozen=True)
class Row:
    """A line of the table: what these codes mean for a read and a write, and whether a person is called."""

    codes: tuple[int, ...]
    read: Reaction
    write: Reaction
    alert: bool = False


TABLE = (
    Row((0,), R.OK, R.OK),
    Row((-1, 10002), R.RETRY, R.RETRY),
    Row((10000, 10014, 10016), R.RETRY, R.UNKNOWN),
    Row((429, 10429), R.RETRY, R.UNKNOWN),
    Row((10001, 10017), R.RETRY, R.REJECT, alert=True),
    Row((10003, 33004, -2015, 10007), R.PAUSE, R.PAUSE),
    Row((10004, 10005, 10010, 10029), R.PAUSE, R.PAUSE),
    Row((10006, 10018, 110079), R.RETRY, R.RETRY),
    Row((3400209, 3400212), R.RETRY, R.RETRY),
    Row((3400214,), R.RETRY, R.UNKNOWN),
    Row((10032, 110067, 110073, 182108, 182110, 3100197, 3200320, 3200641, 500011), R.PAUSE, R.PAUSE),
    Row((3400045, 3400052, 3400053, 3400054, 3400071, 3400208, 3400210, 3400211, 3400213), R.PAUSE, R.PAUSE),
    Row((3401010,), R.PAUSE, R.PAUSE),
    Row((10008, 10024, 10027, 10009, 110066, 110123, 110124, 110125, 110132), R.PAUSE, R.PAUSE),
    Row((10028, 110088, 100028, 110024, 110028), R.PAUSE, R.PAUSE),
    Row((110001,), R.RETRY, R.UNKNOWN),
    Row((110003, 110120, 110121, 30208, 30209), R.RETRY, R.REJECT),
    Row((110004, 110006, 110007, 110012, 110044, 110045, 110051, 110052, 110053), R.RETRY, R.REJECT),
    Row((110008, 110010, 110025, 110026, 110027, 110029, 110043, 34040), R.OK, R.OK),
    Row((110009, 110020, 110061), R.RETRY, R.REJECT, alert=True),
    Row((110011, 110039, 110040, 110046), R.RETRY, R.REJECT),
    Row((110013, 110086, 110090), R.RETRY, R.REJECT),
    Row((110017, 130125), R.RETRY, R.REJECT),
    Row((110021, 110023, 30228, 110042, 110074), R.RETRY, R.REJECT, alert=True),
    Row((110072, 170141, 12141), R.RETRY, R.UNKNOWN),
    Row((110092, 110093, 110094, 110118, 3400139), R.RETRY, R.REJECT),
    Row((424242, 1, 110999, -7, 2**31), R.RETRY, R.UNKNOWN, alert=True),
)
HTTP = (
    *((status, R.PAUSE, R.PAUSE, False) for status in (401,)),
    *((status, R.RETRY, R.RETRY, True) for status in (403,)),
    *((status, R.RETRY, R.REJECT, True) for status in (404,)),
    *((status, R.RETRY, R.UNKNOWN, False) for status in (429, 500, 502, 503, 504, 520)),
    *((status, R.RETRY, R.UNKNOWN, True) for status in (204, 301, 302, 400, 405, 418, 451)),
)


LINES = [pytest.param(code, row, id=str(code)) for row in TABLE for code in row.codes]


def alerts(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The events that call a person."""
    found = (record for record in caplog.records if getattr(record, "maemae_fields", {}).get("alert"))
    return [record.getMessage() for record in found]


async def outcome(call: Any) -> Reaction:
    """How a call of the client ended, as a reaction. For a write *Retry* also stands for "unknown"."""
    try:
        done = await call
    except Retry:
        return R.RETRY
    except Pause:
        return R.PAUSE
    return R.REJECT if done is False else R.OK


def test_no_code_is_in_two_groups_and_every_group_has_its_reactions() -> None:
    listed = [code for codes in GROUPS.values() for code in codes]
    assert len(listed) == len(set(listed)) == len(KINDS)
    assert GROUPS.keys() == set(Kind)
    for code in listed:
        assert reaction(code, 200, is_write=True) in Reaction
        assert (reaction(code, 200, is_write=False) is R.OK) == (code in GROUPS[Kind.OK])


def test_every_code_we_list_is_a_line_of_this_table_or_its_near_relative() -> None:
    lines_here = {code for row in TABLE for code in row.codes}
    assert set(KINDS) - lines_here == {10019, 110036, 110038}


@pytest.mark.parametrize(("code", "row"), LINES)
def test_a_code_has_exactly_one_reaction_each_way(code: int, row: Row) -> None:
    assert reaction(code, 200, is_write=False) is row.read
    assert reaction(code, 200, is_write=True) is row.write
    assert alarming(code, 200) is row.alert


@pytest.mark.parametrize(("code", "row"), LINES)
async def test_a_read_of_the_client_ends_as_the_table_says_and_calls_a_person_when_it_must(
    code: int, row: Row, caplog: pytest.LogCaptureFixture
) -> None:
    venue = ScriptedTransport(reply({"list": []}, code=code))
    assert await outcome(exchange(venue).position("BTCUSDT")) is row.read
    assert bool(alerts(caplog)) == (row.alert or code == 10018)


@pytest.mark.parametrize(("code", "row"), LINES)
async def test_a_write_of_the_client_ends_as_the_table_says(
    code: int, row: Row, caplog: pytest.LogCaptureFixture
) -> None:
    venue = ScriptedTransport(reply(code=code))
    ended = await outcome(exchange(venue).set_trading_stop("BTCUSDT", *(order().stop_loss, order().take_profit)))
    assert ended is (R.RETRY if row.write is R.UNKNOWN else row.write)
    assert bool(alerts(caplog)) == (row.alert or code == 10018)
    assert len(venue.asked) == 1


@pytest.mark.parametrize(("code", "row"), LINES)
async def test_an_orders_reply_is_a_hint_and_only_a_query_closes_its_row(
    code: int, row: Row, caplog: pytest.LogCaptureFixture
) -> None:
    account = exchange(ScriptedTransport(reply(code=code)))
    ack = await account.send_order(account.sign_order(order(), NOW))
    expected = {0: OrderState.ACCEPTED, 10002: OrderState.PLANNED, 10006: OrderState.PLANNED}
    assert ack.code == code
    assert after_hint(ack.outcome, 1) is expected.get(code, OrderState.UNKNOWN)
    assert bool(alerts(caplog)) == (row.alert or code == 10018)


LAW = {
    0: ("ACCEPTED", "ACCEPTED", "ACCEPTED", "ACCEPTED"),
    10002: ("PLANNED", "PLANNED", "UNKNOWN", "UNKNOWN"),
    10006: ("PLANNED", "PLANNED", "UNKNOWN", "UNKNOWN"),
}
"""The order protocol's step 9 in Bybit's codes, for 1 to 4 sends; every other is UNKNOWN. Not derived from ours."""


def walked(code: int) -> tuple[str, ...]:
    """The state a row reaches by a reply with *code* after 1 to 4 sends."""
    return tuple(after_hint(send_outcome(code), attempts).value for attempts in (1, 2, 3, 4))


@pytest.mark.parametrize("code", sorted({*KINDS, -7, 1, 424242, 110999, 2**31}))
def test_every_code_moves_an_order_as_the_protocol_says_whatever_number_of_sends_it_took(code: int) -> None:
    assert walked(code) == LAW.get(code, ("UNKNOWN",) * 4)


@given(st.integers())
def test_a_code_that_nobody_listed_moves_an_order_to_unknown(code: int) -> None:
    assert walked(code) == LAW.get(code, ("UNKNOWN",) * 4)


def test_what_may_have_taken_effect_is_not_called_a_refusal() -> None:
    assert {send_outcome(code) for code in GROUPS[Kind.MAYBE]} == {SendOutcome.UNKNOWN}
    assert {send_outcome(code) for code in GROUPS[Kind.OK] if code} == {SendOutcome.UNKNOWN}
    refusals = {code for kind in set(Kind) - {Kind.MAYBE, Kind.OK} for code in GROUPS[kind]} - {10002, 10006}
    assert {send_outcome(code) for code in refusals} == {SendOutcome.REFUSED}
    assert send_outcome(424242) is SendOutcome.UNKNOWN


@pytest.mark.parametrize(("code", "row"), LINES)
async def test_a_public_read_succeeds_on_zero_alone(code: int, row: Row, caplog: pytest.LogCaptureFixture) -> None:
    limiter = LocalLimiter(SteppedClock(NOW))
    ended = await outcome(public(ScriptedTransport(reply(code=code)), limiter, "/v5/market/kline", {}))
    assert ended is (R.OK if code == 0 else R.RETRY)
    assert bool(alerts(caplog)) == (row.alert or code == 10018)


@pytest.mark.parametrize(("status", "read", "write", "alert"), HTTP)
@pytest.mark.parametrize("body", [b"<html>", b"", b'{"retCode": 0, "time": 1700000000000}'])
async def test_an_http_status_other_than_200_outweighs_its_body(
    status: int, read: Reaction, write: Reaction, alert: bool, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    assert reaction(None, status, is_write=False) is read
    assert reaction(None, status, is_write=True) is write
    assert await outcome(exchange(ScriptedTransport((status, {}, body))).position("BTCUSDT")) is read
    assert bool(alerts(caplog)) == alert
    writing = exchange(ScriptedTransport((status, {}, body)))
    ended = await outcome(writing.set_trading_stop("BTCUSDT", order().stop_loss, order().take_profit))
    assert ended is (R.RETRY if write is R.UNKNOWN else write)
    account = exchange(ScriptedTransport((status, {}, body)))
    sent = await account.send_order(account.sign_order(order(), NOW))
    assert (sent.code, sent.outcome) == (None, SendOutcome.UNKNOWN)
    assert after_hint(sent.outcome, 1) is OrderState.UNKNOWN


@pytest.mark.parametrize("blocked", [(403, {}, b"<html>"), reply(code=10018)])
async def test_a_blocked_address_stops_reads_writes_and_orders_for_ten_minutes(
    blocked: Any, caplog: pytest.LogCaptureFixture
) -> None:
    venue, clock = ScriptedTransport(blocked, reply({"list": []})), SteppedClock(NOW)
    account = exchange(venue, clock)
    with pytest.raises(Retry):
        await account.position("BTCUSDT")
    assert alerts(caplog) == ["bybit.address_blocked"]
    clock.advance_to(NOW + 599_000)
    with pytest.raises(Retry, match="address_blocked"):
        await account.position("BTCUSDT")
    with pytest.raises(Retry, match="address_blocked"):
        await account.set_trading_stop("BTCUSDT", order().stop_loss, order().take_profit)
    assert (await account.send_order(account.sign_order(order(), NOW))).code is None
    assert len(venue.asked) == 1
    clock.advance_to(NOW + 600_000)
    assert (await account.position("BTCUSDT")).is_flat


async def test_hedge_mode_pauses_its_owner_and_calls_nobody(caplog: pytest.LogCaptureFixture) -> None:
    hedged = reply(code=10001, message="position idx not match position mode")
    with pytest.raises(Pause):
        await exchange(ScriptedTransport(hedged)).set_trading_stop("BTCUSDT", order().stop_loss, order().take_profit)
    assert alerts(caplog) == []


async def test_an_alert_names_the_code_and_is_short_whatever_the_venue_writes(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Retry):
        await exchange(ScriptedTransport(reply(code=424242, message="\x00\u202e\U000e0001" + "x" * 90_000))).wallet()
    [record] = caplog.records
    fields: dict[str, Any] = vars(record)["maemae_fields"]
    assert fields["code"] == 424242
    assert len(fields["message"]) <= 200
    assert fields["message"].isprintable()
