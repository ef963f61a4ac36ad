"""`make preflight` by URL: a simulator on a real port, the key typed, real money only after a typed consent."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from lib.domain.errors import Halt
from lib.simulator.config import SimulatorConfig
from services import preflight
from tests.simulator.running import Running, served

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]
RIGHTS = {"ContractTrade": ["Order", "Position"]}


@asynccontextmanager
async def simulator(folder: Path) -> AsyncIterator[Running]:
    async with served(SimulatorConfig(feed="synthetic", database=folder / "simulator.db", port=0)) as running:
        yield running


async def key(running: Running, **more: Any) -> tuple[str, str]:
    _, made = await running.post("/sim/accounts", {"permissions": RIGHTS, "ips": ["127.0.0.1"], **more})
    return made["apiKey"], made["apiSecret"]


async def asked(typed: str, *words: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    return await asyncio.to_thread(preflight.main, list(words))


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.delenv("DATABASE_URL", raising=False)


async def test_every_card_passes_by_url_and_the_key_is_told_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async with simulator(tmp_path) as running:
        api_key, secret = await key(running)
        status = await asked(
            f"{api_key}\n{secret}\n", "--venue", "testnet", "--url", running.url, monkeypatch=monkeypatch
        )
    told = capfd.readouterr().out
    assert (status, told.count("✓"), told.count("✗")) == (0, 16, 0), told
    assert api_key not in told
    assert secret not in told
    [evidence] = (tmp_path / "var" / "preflight").glob("*.json")
    assert secret not in evidence.read_text("utf-8")


@pytest.mark.parametrize(("typed", "cards"), [("REAL MONEY\n", 16), ("\n", 8), ("yes\n", 8), ("", 8)])
async def test_real_money_is_traded_only_after_the_typed_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], typed: str, cards: int
) -> None:
    async with simulator(tmp_path) as running:
        api_key, secret = await key(running)
        words = ("--venue", "mainnet", "--url", running.url)
        status = await asked(f"{api_key}\n{secret}\n{typed}", *words, monkeypatch=monkeypatch)
        _, state = await running.get("/sim/state")
    assert (status, capfd.readouterr().out.count("✓")) == (0, cards)
    assert state["openOrders"] == 0


async def test_a_card_that_fails_is_one_line_in_each_language_and_the_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async with simulator(tmp_path) as running:
        api_key, secret = await key(running)
        await running.post("/sim/faults", {"kind": "region_403", "count": 3})
        words = ("--venue", "testnet", "--url", running.url)
        status = await asked(f"{api_key}\n{secret}\n", *words, monkeypatch=monkeypatch)
    told = capfd.readouterr().out
    assert status == 1
    assert "국가" in told
    assert "country" in told
    assert "0 of 9 cards passed" in told, "what an earlier run left open cannot be known either"


@pytest.mark.parametrize("url", ["https://api.example.org", "http://203.0.113.7:1", "http://localhost.example.org:80"])
async def test_a_signed_request_goes_to_the_venue_or_to_this_machine_alone(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    with pytest.raises(Halt, match="on this machine"):
        await asked("k\ns\n", "--venue", "testnet", "--url", url, monkeypatch=monkeypatch)
