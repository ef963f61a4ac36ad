"""`make preflight` by URL: a simulator on a real port, the key typed, real money only after a typed consent."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.tables.real_money import preflight_runs
from lib.adapters.vault import VaultSealer, generate_keys
from lib.domain.account_records import NewAccount
from lib.domain.api_key import ApiKey, SealContext
from lib.domain.errors import Halt
from lib.simulator.config import SimulatorConfig
from services import preflight
from tests.databases import with_schema
from tests.factories import SYMBOL, T
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


@dataclass(frozen=True)
class Kept:
    """An account whose key is sealed in a database of this deployment."""

    account_id: int
    database: str


def kept(folder: Path, running: Running, made: tuple[str, str], monkeypatch: pytest.MonkeyPatch, uid: str) -> Kept:
    private, public = generate_keys()
    database = f"sqlite:///{folder / 'maemae.db'}"
    for name, value in {"DATABASE_URL": database, "ENCRYPTION_KEY": private, "INSTALLATION": "t3st"}.items():
        monkeypatch.setenv(name, value)
    engine = make_engine(database)
    with_schema(engine)
    people = SqlAccounts(engine)
    user_id = people.add_user("kim@example.test", "!")
    sealed = VaultSealer(public).seal(ApiKey(*made), SealContext(user_id, "mainnet", uid, 1))
    new = NewAccount(user_id, "mainnet", "bybit", uid, SYMBOL, sealed, "1234", 1, Decimal(100), T)
    account_id = people.add_account(new)
    engine.dispose()
    return Kept(account_id, database)


def runs(database: str) -> list[tuple[str, bool]]:
    """The runs that were kept: of which uid, and whether order cards passed at Bybit's own host."""
    engine = make_engine(database)
    with engine.connect() as connection:
        found = connection.execute(sa.select(preflight_runs.c.uid, preflight_runs.c.orders_passed)).all()
    engine.dispose()
    return [(row.uid, row.orders_passed) for row in found]


async def owned(running: Running) -> tuple[str, tuple[str, str]]:
    _, made = await running.post("/sim/accounts", {"permissions": RIGHTS, "ips": ["127.0.0.1"]})
    return str(made["uid"]), (made["apiKey"], made["apiSecret"])


@pytest.mark.parametrize("which", ["number", "real"])
async def test_an_account_is_asked_by_its_sealed_key_and_no_order_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], which: str
) -> None:
    async with simulator(tmp_path) as running:
        uid, made = await owned(running)
        here = kept(tmp_path, running, made, monkeypatch, uid)
        account = str(here.account_id) if which == "number" else "real"
        status = await asked("REAL MONEY\n", "--account", account, "--url", running.url, monkeypatch=monkeypatch)
        _, state = await running.get("/sim/state")
    told = capfd.readouterr().out
    assert (status, told.count("✓")) == (0, 8), told
    assert made[0] not in told
    assert made[1] not in told
    assert state["openOrders"] == 0
    assert runs(here.database) == [(uid, False)]


@pytest.mark.parametrize(("typed", "cards"), [("REAL MONEY {}\n", 16), ("REAL MONEY\n", 8), ("REAL MONEY 99\n", 8)])
async def test_orders_by_a_sealed_key_want_words_that_name_the_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], typed: str, cards: int
) -> None:
    async with simulator(tmp_path) as running:
        uid, made = await owned(running)
        here = kept(tmp_path, running, made, monkeypatch, uid)
        words = ("--account", str(here.account_id), "--orders", "--url", running.url)
        await asked(typed.format(here.account_id), *words, monkeypatch=monkeypatch)
    assert capfd.readouterr().out.count("✓") == cards


async def test_an_account_that_cannot_be_asked_is_a_line_and_the_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async with simulator(tmp_path) as running:
        uid, made = await owned(running)
        here = kept(tmp_path, running, made, monkeypatch, uid)
        monkeypatch.setenv("ENCRYPTION_KEY", generate_keys()[0])
        assert await asked("", "--account", "real", "--url", running.url, monkeypatch=monkeypatch) == 1
        assert await asked("", "--account", "77", "--url", running.url, monkeypatch=monkeypatch) == 1
    told = capfd.readouterr().out
    assert f"the key of account {here.account_id} does not open here" in told
    assert "account 77 is not in use here" in told


@pytest.mark.parametrize("words", ["--account real --orders", "--venue demo --orders", "--account 0"])
def test_a_timer_cannot_ask_for_orders(words: str) -> None:
    with pytest.raises(SystemExit):
        preflight.main(words.split())
