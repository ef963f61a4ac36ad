"""Onboarding a key with real pybit: permissions, owner, and one-way isolated mode, against the simulator over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from lib.adapters.bybit.key_probe import PybitKeyProbe
from lib.domain.errors import Pause, Retry
from lib.ports import ApiKey
from tests.contract.exchange_worlds import World, over_http, serving
from tests.factories import SYMBOL, order

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with over_http(tmp_path, by_pybit=False) as made:
        # pybit stamps by the machine's clock; the simulated exchange lives at another time
        monkeypatch.setattr("pybit._helpers.generate_timestamp", made.clock.now_ms)
        yield made


def probe(world: World) -> PybitKeyProbe:
    return PybitKeyProbe({"paper": world.base_url})


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
        await asyncio.to_thread(probe(world).prepare, "paper", world.key, SYMBOL)
    assert (account.margin_mode, account.position_mode) == ("ISOLATED_MARGIN", 0)


async def test_what_the_owner_must_change_first_pauses(world: World) -> None:
    await world.exchange.send_order(world.exchange.sign_order(order(), world.clock.now_ms()))
    world.pass_ms(200)
    await world.exchange.position(SYMBOL)
    world.engine.accounts[1_000_001].position_mode = 3
    with pytest.raises(Pause, match="110024"):
        await asyncio.to_thread(probe(world).prepare, "paper", world.key, SYMBOL)


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
    with pytest.raises(Retry, match="HTTP 403"):
        await asyncio.to_thread(asking.key_info, "paper", world.key)
    with pytest.raises(Retry, match="blocks our address for"):
        await asyncio.to_thread(asking.key_info, "paper", world.key)


async def test_a_venue_without_url_pauses() -> None:
    with pytest.raises(Pause, match="does not trade on demo"):
        PybitKeyProbe({}).key_info("demo", ApiKey("k" * 8, "s" * 8))


# --- shapes the simulator does not produce ----------------------------------------------------------------------------

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

    app = web.Application()
    app.router.add_get("/v5/user/query-api", answer)
    async with serving(app) as url:
        return await asyncio.to_thread(PybitKeyProbe({"mainnet": url}).key_info, "mainnet", ApiKey("k" * 8, "s" * 8))


async def test_a_bound_dated_key_shows_its_addresses_and_end() -> None:
    info = await told()
    assert (info.uid, info.bound_ips, info.expires_at) == ("24617703", ("1.2.3.4",), 1_796_083_200_000)


async def test_an_undated_key_has_no_end_and_a_half_permitted_one_may_not_trade() -> None:
    assert (await told(expiredAt="1970-01-01T00:00:00Z")).expires_at == 0
    assert not (await told(permissions={"ContractTrade": ["Order"]})).may_trade
    assert not (await told(uta=0)).unified


@pytest.mark.parametrize("broken", [{"permissions": None}, {"userID": "x"}, {"expiredAt": "soon"}])
async def test_an_answer_that_cannot_be_read_is_retry(broken: dict[str, Any]) -> None:
    with pytest.raises(Retry, match="cannot be read"):
        await told(**broken)
