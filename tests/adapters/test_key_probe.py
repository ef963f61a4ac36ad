"""Onboarding a key with real pybit: permissions, owner, and one-way isolated mode, against the simulator over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from lib.adapters.bybit.rest.key_probe import PybitKeyProbe
from lib.clock import SteppedClock
from lib.domain import reason_codes as codes
from lib.domain.account import Venue
from lib.domain.api_key import ApiKey
from lib.domain.errors import MaemaeError, Pause, Retry
from tests.adapters.scripted_rest import Body, by_path, bybit_that, said
from tests.contract.exchange_worlds import AS_BYBITS_DEMO, World, over_http
from tests.factories import SYMBOL, order
from tests.fakes.people import StandingClock

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with over_http(tmp_path, by_pybit=False) as made:
        yield made


def probe(world: World) -> PybitKeyProbe:
    return PybitKeyProbe({"paper": world.base_url}, clock=world.clock)


async def test_a_trading_key_says_whose_it_is_and_what_it_may(world: World) -> None:
    info = await asyncio.to_thread(probe(world).key_info, "paper", world.key)
    assert (info.uid, info.may_trade, info.may_withdraw, info.read_only) == ("1000001", True, False, False)
    assert (info.unified, info.bound_ips) == (True, ())


async def test_a_reading_or_withdrawing_key_is_seen_as_such(world: World) -> None:
    reading, withdrawing = (world.engine.add_key(1_000_001) for _ in range(2))
    reading.read_only = True
    withdrawing.permissions["Wallet"] = ["AccountTransfer", "Withdraw"]
    first = await asyncio.to_thread(probe(world).key_info, "paper", ApiKey(reading.key, reading.secret))
    second = await asyncio.to_thread(probe(world).key_info, "paper", ApiKey(withdrawing.key, withdrawing.secret))
    assert (first.read_only, first.may_trade) == (True, False)
    assert (second.may_withdraw, second.may_transfer) == (True, True)


@pytest.mark.parametrize("key", [ApiKey("unknown-key", "x" * 20), None])
async def test_a_refused_key_pauses_without_showing_the_secret(world: World, key: ApiKey | None) -> None:
    wrong = key or ApiKey(world.key.api_key, "not-the-secret-at-all")
    with pytest.raises(Pause) as caught:
        await asyncio.to_thread(probe(world).key_info, "paper", wrong)
    assert wrong.api_secret not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_preparing_sets_isolated_one_way_mode_and_may_be_repeated(world: World) -> None:
    account = world.engine.accounts[1_000_001]
    account.margin_mode, account.position_mode = "REGULAR_MARGIN", 3
    for _ in range(2):
        await asyncio.to_thread(probe(world).prepare, "paper", world.key, (SYMBOL,))
    assert (account.margin_mode, account.position_mode) == ("ISOLATED_MARGIN", 0)


async def test_positions_are_one_way_in_every_symbol_the_account_trades() -> None:
    switched: list[str] = []
    account = {"retCode": 0, "result": {"marginMode": "ISOLATED_MARGIN", "unifiedMarginStatus": 5}, "time": 1}
    answer = by_path({"/v5/account/info": account})

    async def heard(request: web.Request) -> web.Response:
        if request.path == "/v5/position/switch-mode":
            asked = await request.json()
            switched.append(f"{asked['symbol']} {asked['mode']}")
            if asked["symbol"] == "OLDUSDT":
                return web.json_response({"retCode": 10001, "retMsg": "symbol invalid", "result": {}, "time": 1})
        return await answer(request)

    async with bybit_that(heard) as url:
        asking = PybitKeyProbe({"demo": url})
        await asyncio.to_thread(asking.prepare, "demo", KEY, (SYMBOL, "OLDUSDT", "ETHUSDT"))
        await asyncio.to_thread(asking.set_one_way, "demo", KEY, ("SOLUSDT",))
    assert switched == [f"{symbol} 0" for symbol in (SYMBOL, "OLDUSDT", "ETHUSDT", "SOLUSDT")]


async def test_what_the_owner_must_change_first_pauses(world: World) -> None:
    await world.exchange.send_order(world.exchange.sign_order(order(), world.clock.now_ms()))
    world.pass_ms(200)
    await world.exchange.position(SYMBOL)
    world.engine.accounts[1_000_001].position_mode = 3
    with pytest.raises(Pause, match="110024"):
        await asyncio.to_thread(probe(world).prepare, "paper", world.key, (SYMBOL,))


@pytest.mark.parametrize(
    "kind", ["http_5xx_before", "http_403", "rate_limit_past_reset", "err_10016_before", "drop_before"]
)
async def test_trouble_on_the_way_is_retry(world: World, kind: str) -> None:
    for _ in range(2):
        world.break_next(kind, "/v5/user/query-api")
    with pytest.raises(Retry):
        await asyncio.to_thread(probe(world).key_info, "paper", world.key)


async def test_after_http_403_no_key_is_checked_any_more(world: World) -> None:
    world.break_next("http_403", "/v5/user/query-api")
    asking = probe(world)
    with pytest.raises(Retry, match="bybit_server_blocked"):
        await asyncio.to_thread(asking.key_info, "paper", world.key)
    with pytest.raises(Retry, match="address_blocked"):
        await asyncio.to_thread(asking.key_info, "paper", world.key)


async def test_a_venue_without_url_pauses() -> None:
    with pytest.raises(Pause, match="venue_not_served venue=demo"):
        PybitKeyProbe({}).key_info("demo", ApiKey("k" * 8, "s" * 8))


# --- the venue's clock ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead_ms", [12_000, -3_000, 3_600_000, -86_400_000, 990, -4_990, 0])
async def test_a_machine_whose_clock_is_off_checks_keys_by_the_venues(world: World, ahead_ms: int) -> None:
    venue_ms = world.clock.now_ms()
    off = PybitKeyProbe({"paper": world.base_url}, clock=StandingClock(venue_ms - ahead_ms))
    assert (await asyncio.to_thread(off.key_info, "paper", world.key)).uid == "1000001"
    await asyncio.to_thread(off.prepare, "paper", world.key, (SYMBOL,))


async def test_a_stamp_is_late_by_a_margin_and_never_ahead_however_slow_the_way(world: World) -> None:
    clock = SteppedClock(world.clock.now_ms())
    stamps: list[int] = []

    async def answer(request: web.Request) -> web.Response:
        clock.advance_to(clock.now_ms() + 900)  # each way takes 450 ms
        if stamp := request.headers.get("X-BAPI-TIMESTAMP"):
            stamps.append(int(stamp))
        return web.json_response({"retCode": 0, "result": KEY_ROW, "time": clock.now_ms() - 450})

    async with bybit_that(answer) as url:
        await asyncio.to_thread(PybitKeyProbe({"mainnet": url}, clock=clock).key_info, "mainnet", KEY)
    arrived = clock.now_ms() - 450
    assert all(arrived - 5_000 <= stamp < arrived for stamp in stamps)
    assert len(stamps) == 1


# --- demo trading -----------------------------------------------------------------------------------------------------


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[World]:
    async with over_http(tmp_path, by_pybit=False, born=AS_BYBITS_DEMO) as made:
        yield made


def demo_probe(world: World, venue: Venue = "demo") -> PybitKeyProbe:
    return PybitKeyProbe({venue: world.base_url}, clock=world.clock)


async def test_a_demo_key_that_nothing_is_told_of_is_taken_on_doubts(demo: World) -> None:
    info = await asyncio.to_thread(demo_probe(demo).key_info, "demo", demo.key)
    assert (info.uid, info.doubts) == ("", ("uid", "rights"))
    assert (info.may_trade, info.unified) == (True, True)
    assert await asyncio.to_thread(demo_probe(demo).prepare, "demo", demo.key, (SYMBOL,)) == ("cross_margin",)


@pytest.mark.parametrize("venue", ["paper", "testnet", "mainnet"])
async def test_nowhere_else_is_anything_taken_on_a_doubt(demo: World, venue: Venue) -> None:
    with pytest.raises(Pause, match="10032"):
        await asyncio.to_thread(demo_probe(demo, venue).key_info, venue, demo.key)
    with pytest.raises(Pause, match="110073"):
        await asyncio.to_thread(demo_probe(demo, venue).prepare, venue, demo.key, (SYMBOL,))


@pytest.mark.parametrize("rights", [["Order"], ["Position"]])
async def test_what_a_demo_key_may_not_do_is_found_by_trying(demo: World, rights: list[str]) -> None:
    demo.engine.accounts[1_000_001].keys[0].permissions["ContractTrade"] = rights
    with pytest.raises(Pause, match="10005"):
        await asyncio.to_thread(demo_probe(demo).prepare, "demo", demo.key, (SYMBOL,))


async def test_a_demo_account_that_could_be_isolated_has_no_doubt_about_it(demo: World) -> None:
    demo.engine.accounts[1_000_001].margin_mode = "ISOLATED_MARGIN"
    assert await asyncio.to_thread(demo_probe(demo).prepare, "demo", demo.key, (SYMBOL,)) == ()


async def test_another_refusal_of_a_demo_key_stays_a_refusal(demo: World) -> None:
    demo.engine.accounts[1_000_001].keys[0].refusal = 33004
    with pytest.raises(Pause, match="33004"):
        await asyncio.to_thread(demo_probe(demo).key_info, "demo", demo.key)


@pytest.mark.parametrize("mode", ["PORTFOLIO_MARGIN", "REGULAR_MARGIN"])
async def test_a_demo_refusal_with_reasons_or_of_another_mode_is_one_of_the_account(mode: str) -> None:
    rows = [] if mode == "PORTFOLIO_MARGIN" else [{"reasonCode": "3400208", "reasonMsg": "positions"}]
    refusal = {"retCode": 110073, "retMsg": "Set margin mode failed", "result": {"reasons": rows}, "time": 1}
    account = {"retCode": 0, "result": {"marginMode": mode, "unifiedMarginStatus": 5}, "time": 1}
    answers: dict[str, Body] = {"/v5/account/info": account, "/v5/account/set-margin-mode": refusal}
    async with bybit_that(by_path(answers)) as url:
        with pytest.raises(Pause, match="110073"):
            await asyncio.to_thread(PybitKeyProbe({"demo": url}).prepare, "demo", KEY, (SYMBOL,))


async def test_open_positions_are_the_reason_that_isolated_margin_is_not_set(world: World) -> None:
    await world.exchange.send_order(world.exchange.sign_order(order(), world.clock.now_ms()))
    world.pass_ms(200)
    await world.exchange.position(SYMBOL)
    world.engine.accounts[1_000_001].margin_mode = "REGULAR_MARGIN"
    with pytest.raises(Pause) as caught:
        await asyncio.to_thread(probe(world).prepare, "paper", world.key, (SYMBOL,))
    assert caught.value.answer is not None
    assert 3400208 in [reason.code for reason in caught.value.answer.reasons]


# --- what the venue says ----------------------------------------------------------------------------------------------


async def refused(status: int, body: Body) -> MaemaeError:
    """How a check ends when every signed request is answered so."""
    async with bybit_that(said(status, body)) as url:
        with pytest.raises(MaemaeError) as caught:
            await asyncio.to_thread(PybitKeyProbe({"mainnet": url}).key_info, "mainnet", KEY)
    return caught.value


@pytest.mark.parametrize("code", [10003, 33004, -2015, 10010, 10005, 10009, 10024, 10028, 10032, 110073, 3400208])
async def test_a_refusal_carries_its_code_and_its_words(code: int) -> None:
    error = await refused(200, {"retCode": code, "retMsg": "what Bybit wrote", "result": {}, "time": 0})
    assert isinstance(error, Pause)
    assert error.answer is not None
    assert (error.answer.code, error.answer.text) == (code, "what Bybit wrote")
    assert f"code={code}" in str(error)


@pytest.mark.parametrize("code", [10000, 10016, 10006, 10002, 429, 3400214, 424242])
async def test_what_may_pass_and_what_nobody_listed_stop_nobodys_account(code: int) -> None:
    error = await refused(200, {"retCode": code, "retMsg": "later", "result": {}, "time": 0})
    assert isinstance(error, Retry)
    assert error.answer is not None
    assert error.answer.passing == (code != 424242)


async def test_reasons_inside_a_refusal_are_told_one_by_one() -> None:
    rows = [{"reasonCode": "3400000", "reasonMsg": "Equity is too low"}, {"reasonCode": "3400208", "reasonMsg": "…"}]
    body = {"retCode": 3400045, "retMsg": "Set margin mode failed", "result": {"reasons": rows}, "time": 0}
    error = await refused(200, body)
    assert isinstance(error, Pause)
    assert error.answer is not None
    assert [reason.code for reason in error.answer.reasons] == [3400000, 3400208]
    assert error.answer.reasons[0].why == codes.BYBIT_SAYS(code=3400000, said="Equity is too low")
    assert error.answer.reasons[1].why == codes.BYBIT_POSITION_OPEN(code=3400208)


async def test_reasons_under_a_yes_are_a_no() -> None:
    rows = [{"reasonCode": "3400000", "reasonMsg": "Equity is too low"}]
    error = await refused(200, {"retCode": 0, "retMsg": "OK", "result": {"reasons": rows}, "time": 1})
    assert isinstance(error, Pause)
    assert error.answer is not None
    assert error.answer.reasons[0].text == "Equity is too low"


async def test_the_key_and_its_secret_never_come_back_in_the_venues_words() -> None:
    echo = f"params error: sign({KEY.api_secret}) of {KEY.api_key}"
    error = await refused(200, {"retCode": 10004, "retMsg": echo, "result": {}, "time": 1})
    assert error.answer is not None
    assert KEY.api_secret not in error.answer.text + str(error)
    assert KEY.api_key not in error.answer.text


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
async def test_a_gateways_page_is_trouble_on_the_way(status: int) -> None:
    error = await refused(status, b"<html>Bad Gateway</html>")
    assert isinstance(error, Retry)
    assert error.answer is None


@pytest.mark.parametrize(("status", "body"), [(200, b"<html>"), (200, b"[]"), (404, b""), (403, b"<html>"), (429, b"")])
async def test_any_other_page_is_an_answer_and_no_silence(status: int, body: bytes) -> None:
    error = await refused(status, body)
    assert isinstance(error, Retry | Pause)
    assert error.answer is not None
    assert error.answer.is_http
    assert "html" not in str(error)


# --- shapes the simulator does not produce ----------------------------------------------------------------------------

KEY = ApiKey("the-key-itself", "the-secret-of-it")
KEY_ROW: dict[str, Any] = {
    "id": "1", "note": "bot", "apiKey": "k", "readOnly": 0, "secret": "", "type": 1, "uta": 1, "userID": 24617703,
    "permissions": {"ContractTrade": ["Order", "Position"], "Wallet": [], "Spot": ["SpotTrade"]}, "ips": ["1.2.3.4"],
    "deadlineDay": 83, "expiredAt": "2026-12-01T00:00:00Z", "createdAt": "2026-09-02T00:00:00Z",
}  # fmt: skip


async def told(**changes: Any) -> Any:
    """What the probe reads from a venue that answers KEY_ROW with *changes*."""

    async def answer(_: web.Request) -> web.Response:
        body = {"retCode": 0, "retMsg": "", "result": {**KEY_ROW, **changes}, "time": 1}
        return web.json_response(text=json.dumps(body))

    async with bybit_that(answer) as url:
        return await asyncio.to_thread(PybitKeyProbe({"mainnet": url}).key_info, "mainnet", KEY)


async def test_a_bound_dated_key_shows_its_addresses_and_end() -> None:
    info = await told()
    assert (info.uid, info.bound_ips, info.expires_at) == ("24617703", ("1.2.3.4",), 1_796_083_200_000)


async def test_an_undated_key_has_no_end_and_a_half_permitted_one_may_not_trade() -> None:
    assert (await told(expiredAt="1970-01-01T00:00:00Z")).expires_at == 0
    assert not (await told(permissions={"ContractTrade": ["Order"]})).may_trade
    assert not (await told(uta=0)).unified


@pytest.mark.parametrize("broken", [{"permissions": None}, {"userID": "x"}, {"expiredAt": "soon"}])
async def test_an_answer_that_cannot_be_read_is_retry(broken: dict[str, Any]) -> None:
    with pytest.raises(Retry, match="bybit_key_unreadable"):
        await told(**broken)
