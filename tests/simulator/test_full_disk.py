"""A disk that takes nothing: nobody is told what is not saved, prices go on, all of it is saved once there is room."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from lib.simulator import server
from lib.simulator.config import SimulatorConfig
from lib.simulator.engine.orders import Row
from lib.simulator.store import NotSaved, Store
from tests.e2e.test_simulator_process import child
from tests.simulator.running import Key, Running, served, until

pytestmark = [pytest.mark.enable_socket, pytest.mark.server]

BUY = {"side": "Buy", "orderType": "Market", "qty": "0.01"}


class Disk:
    """The disk under each store that is opened: SQLite's own limit of pages stands for its room."""

    def __init__(self) -> None:
        self.stores: list[Store] = []

    def fill(self) -> None:
        for store in self.stores:
            run = store._connection
            run.execute("CREATE TABLE IF NOT EXISTS filling (body)")
            [pages] = run.execute("PRAGMA page_count").fetchone()
            run.execute(f"PRAGMA max_page_count = {pages}")
            # what is left on pages that are begun
            for size in (2_000, 200, 20, 2):
                while _fits(run, size):
                    pass

    def has_room(self) -> None:
        for store in self.stores:
            store._connection.execute("PRAGMA max_page_count = 1000000")


def _fits(run: Any, size: int) -> bool:
    try:
        run.execute("INSERT INTO filling VALUES (zeroblob(?))", (size,))
    except Exception:  # noqa: BLE001 - full: that is what is asked
        return False
    return True


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    made = Disk()

    class Noted(Store):
        def __init__(self, path: Path, identity: str) -> None:
            super().__init__(path, identity)
            made.stores.append(self)

    monkeypatch.setattr(server, "Store", Noted)
    return made


@pytest.fixture
async def running(tmp_path: Path, disk: Disk) -> AsyncIterator[Running]:
    async with served(SimulatorConfig("synthetic", tmp_path / "sim.db", port=0)) as made:
        yield made


def test_a_store_on_a_full_disk_says_so_and_has_nothing_of_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "sim.db", "synthetic seed 7")
    filling = Disk()
    filling.stores.append(store)
    store.save({1: {"cash": "1"}}, [], 1)
    filling.fill()
    big = [Row(1, "execution", seq, {"note": "x" * 3_000}) for seq in range(50)]
    for _ in range(2):  # the second finds no transaction left open by the first
        with pytest.raises(NotSaved, match="full"):
            store.save({1: {"cash": "2"}}, big, 2)
    assert store.fact("advanced_ms") == "1"
    filling.has_room()
    store.save({1: {"cash": "2"}}, big, 2)
    assert (store.accounts(), store.fact("advanced_ms")) == ([{"cash": "2"}], "2")
    store.close()


async def test_an_order_that_cannot_be_saved_gets_no_reply_and_stands_when_there_is_room(
    running: Running, disk: Disk
) -> None:
    key = await running.account()
    disk.fill()
    await _lost(key)

    async def refused() -> bool:
        return (await _status(key)) == 503

    await until(refused, 30)
    status, prices = await running.get("/v5/market/tickers?category=linear&symbol=BTCUSDT")
    assert (status, prices["retCode"]) == (200, 0)
    assert "full" in (await running.get("/sim/state"))[1]["unsaved"]
    disk.has_room()

    async def saved() -> bool:
        return bool((await running.get("/sim/state"))[1]["unsaved"] == "")

    await until(saved, 30)
    orders = (await key.get("/v5/order/history", "category=linear&symbol=BTCUSDT"))["result"]["list"]
    links = [order["orderLinkId"] for order in orders]
    assert len(links) == len(set(links))
    assert (await key.post("/v5/order/create", **BUY, orderLinkId="after"))["retCode"] == 0


async def _lost(key: Key) -> None:
    """Send orders until one gets no reply: how many the begun pages still take is the disk's affair."""
    async with asyncio.timeout(60):
        for number in range(10_000):
            try:
                answer = await key.post("/v5/order/create", **BUY, orderLinkId=f"full-{number}")
            except aiohttp.ClientError:
                return
            assert answer["retCode"] in (0, 110007, 10006), answer
            await asyncio.sleep(0.02)  # the account's own pace


async def _status(key: Key) -> int:
    async with key.running.session.get(f"{key.running.url}/v5/position/list?category=linear&symbol=BTCUSDT") as answer:
        return answer.status


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A file system of two megabytes of its own; None where only the stand-in above can be played."""
    place = tmp_path / "disk"
    place.mkdir()
    if (
        os.getuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True, check=False
        ).returncode
    ):
        yield None
        return
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.e2e
async def test_a_simulator_outlives_a_full_disk(small_disk: Path | None) -> None:
    if small_disk is None:
        return
    async with child(small_disk / "sim.db", 0, 0) as first:
        running, filling = first.running, small_disk / "filling"
        key = await running.account()
        _fill(filling)

        async def unsaved() -> bool:
            async with running.session.post(f"{running.url}/sim/accounts", json={"balance": "1"}) as answer:
                return answer.status == 503

        async def seen() -> bool:
            try:
                return await unsaved()
            except aiohttp.ClientError:
                return False

        await until(seen, 60)
        assert (await running.get("/v5/market/time"))[0] == 200
        filling.unlink()

        async def back() -> Any:
            return (await running.get("/sim/state"))[1]["unsaved"] == ""

        await until(back, 30)
        assert (await key.post("/v5/order/create", **BUY, orderLinkId="after"))["retCode"] == 0
        assert await first.end(signal.SIGTERM) == 0


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as out:
        for size in (65_536, 4_096):
            try:
                while out.write(b"\0" * size):
                    pass
            except OSError:
                continue
