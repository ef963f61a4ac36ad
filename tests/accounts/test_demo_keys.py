"""A key of demo trading, which tells nothing of itself: taken, with the doubt in the row, and never somebody else's."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from lib.accounts.refusal import Refusal
from lib.accounts.trading import KeySaved, TradingDesk
from lib.accounts.web import SessionUser
from lib.adapters.bybit.rest.account_probe import BybitAccountProbe
from lib.adapters.bybit.rest.key_probe import PybitKeyProbe
from lib.adapters.sql.tables.people import accounts, credentials
from lib.domain.account import Venue
from lib.domain.api_key import ApiKey
from lib.domain.order import order_link_id
from tests.accounts.conftest import HERE, Scene
from tests.factories import INSTALLATION, T, order

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]
DEMO = replace(HERE, feed="bybit", venues=("demo", "testnet"))


@pytest.fixture
async def demo(scene: Scene) -> Scene:
    """*scene* whose exchange account is one of demo trading, entered at the venue *demo*."""
    account = scene.world.engine.accounts[1_000_001]
    account.margin_mode, account.is_demo = "REGULAR_MARGIN", True
    urls: dict[Venue, str] = {"demo": scene.world.base_url}
    clock = scene.world.clock
    probes = {"key_probe": PybitKeyProbe(urls, clock=clock), "account_probe": BybitAccountProbe(urls, clock)}
    scene.desk = TradingDesk(replace(scene.ports, **probes), DEMO)  # type: ignore[arg-type]
    return scene


async def save(demo: Scene, key: ApiKey | None = None, user: SessionUser | None = None) -> Refusal | KeySaved:
    key = key or demo.world.key
    return await asyncio.to_thread(demo.desk.save_key, user or demo.user, "demo", key.api_key, key.api_secret)


async def test_a_demo_key_is_taken_and_the_doubts_are_in_its_row(demo: Scene) -> None:
    saved = await save(demo)
    assert isinstance(saved, KeySaved), saved
    assert saved.doubts == ("uid", "rights", "cross_margin")
    [row] = demo.rows(accounts)
    assert (row["venue"], row["doubts"]) == ("demo", "uid,rights,cross_margin")
    assert row["uid"].startswith("key-")
    assert demo.world.key.api_key not in row["uid"]


async def test_the_same_key_again_is_the_same_account(demo: Scene) -> None:
    for _ in range(2):
        assert isinstance(await save(demo), KeySaved)
    assert len(demo.rows(accounts)) == 1
    assert [row["key_version"] for row in demo.rows(credentials)] == [1, 2]


async def trade(demo: Scene, account_id: int) -> None:
    """An order on the exchange account that carries the mark of our account *account_id*."""
    link = order_link_id(INSTALLATION, T, 1, account_id, "e", 0)
    marked = replace(order(), order_link_id=link, account_id=account_id)
    ack = await demo.world.exchange.send_order(demo.world.exchange.sign_order(marked, demo.world.clock.now_ms()))
    assert ack.code == 0
    demo.world.pass_ms(200)


async def test_another_key_of_an_account_that_trades_here_is_known_by_its_orders(demo: Scene) -> None:
    first = await save(demo)
    assert isinstance(first, KeySaved)
    await trade(demo, first.account_id)
    again = await save(demo, demo.new_key())
    assert isinstance(again, KeySaved), again
    assert again.account_id == first.account_id
    assert len(demo.rows(accounts)) == 1


async def test_a_key_of_another_persons_account_is_known_by_its_orders_too(demo: Scene) -> None:
    first = await save(demo)
    assert isinstance(first, KeySaved)
    await trade(demo, first.account_id)
    refused = await save(demo, demo.new_key(), demo.another())
    assert refused == Refusal("refuse.key.taken")
    assert len(demo.rows(accounts)) == 1


async def test_marks_of_an_account_nobody_has_any_more_say_nothing(demo: Scene) -> None:
    await trade(demo, 4_711)
    assert isinstance(await save(demo), KeySaved)


async def test_the_doubt_holds_for_demo_trading_alone(demo: Scene, tmp_path: Path) -> None:
    key, urls = demo.world.key, {"testnet": demo.world.base_url}
    probe = PybitKeyProbe(urls, clock=demo.world.clock)  # type: ignore[arg-type]
    desk = TradingDesk(replace(demo.ports, key_probe=probe), replace(DEMO, feed="bybit-testnet"))
    refused = await asyncio.to_thread(desk.save_key, demo.user, "testnet", key.api_key, key.api_secret)
    assert isinstance(refused, Refusal)
    assert (refused.key, refused.params["code"]) == ("refuse.key.refused", 10032)
    assert demo.rows(accounts) == []
