"""The journal is the account's: what a killed run left open is found by the next one, whichever key it has."""

import fcntl
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from lib.accounts.key_gate import uid_of_key
from lib.adapters.bybit.rest.transport import Transport
from lib.adapters.preflight_files import JournalFile, journal_name
from lib.bootstrap import PreflightWish
from lib.bootstrap import ask_preflight as wired
from lib.domain import reason_codes as codes
from lib.domain.api_key import ApiKey
from lib.domain.errors import Halt
from lib.domain.preflight import Card, PreflightRun
from lib.settings import Settings, load
from lib.simulator.engine.accounts import ApiKey as SimulatedKey
from tests.factories import SYMBOL
from tests.preflight.conftest import Scene
from tests.preflight.test_cards import Killed, KilledAt
from tests.worlds.examined import got

OTHER = ApiKey("another-key-of-it", "another-secret-of-it")


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    return load({"DATA_DIR": str(tmp_path / "var"), "INSTALLATION": "t3st"})


@pytest.fixture
def carried(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> dict[str, Transport]:
    """What carries requests, under "by": the simulated exchange, until a test puts something in between."""
    by: dict[str, Transport] = {"by": scene.world.transport}

    class Carrier(Transport):
        def __init__(self, url: str, session: object) -> None: ...

        async def request(
            self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
        ) -> tuple[int, Mapping[str, str], bytes]:
            return await by["by"].request(method, path, query, headers, body)

    monkeypatch.setattr(sys.modules["lib.bootstrap.preflight"], "AiohttpTransport", Carrier)
    return by


async def asked(scene: Scene, here: Settings, key: ApiKey, *, orders: bool, uid: str = "") -> PreflightRun:
    run, _ = await wired(
        here, PreflightWish("testnet", SYMBOL, key, uid=uid), lambda _: None, lambda: orders, scene.world.clock
    )
    return run


async def killed_in_the_open(scene: Scene, here: Settings, carried: dict[str, Transport]) -> None:
    """A run by the first key dies with its position open."""
    carried["by"] = KilledAt(scene.world.transport, "/v5/position/trading-stop")
    with pytest.raises(Killed):
        await asked(scene, here, scene.world.key, orders=True)
    carried["by"] = scene.world.transport
    scene.world.pass_ms(60_000)
    assert not (await scene.world.exchange.position(SYMBOL)).is_flat


async def test_the_next_run_by_another_key_of_the_account_closes_what_the_first_left_open(
    scene: Scene, here: Settings, carried: dict[str, Transport]
) -> None:
    [first] = scene.account.keys
    second = SimulatedKey(OTHER.api_key, OTHER.api_secret, permissions=first.permissions, ips=first.ips)
    scene.world.engine.add_key(scene.account.uid, second)
    await killed_in_the_open(scene, here, carried)
    await asked(scene, here, OTHER, orders=False)
    assert (await scene.world.exchange.position(SYMBOL)).is_flat


async def test_what_was_written_under_a_key_before_is_found_too(
    scene: Scene, here: Settings, carried: dict[str, Transport]
) -> None:
    await killed_in_the_open(scene, here, carried)
    folder = here.data_dir / "preflight"
    [journal] = folder.glob("journal-*.jsonl")
    journal.rename(folder / f"journal-testnet-{uid_of_key(scene.world.key)[-12:]}.jsonl")
    await asked(scene, here, scene.world.key, orders=False)
    assert (await scene.world.exchange.position(SYMBOL)).is_flat


async def test_while_nobody_tells_whose_account_it_is_no_order_is_sent(
    scene: Scene, here: Settings, carried: dict[str, Transport]
) -> None:
    """The first question is not answered, all later ones are: what is open on the account is not known."""
    scene.world.break_next("http_5xx_before", "/v5/user/query-api")
    run = await asked(scene, here, scene.world.key, orders=True)
    assert got(run, Card.KEY).passed
    assert (got(run, Card.QUIET).passed, got(run, Card.QUIET).got) == (False, codes.CARD_END_UNKNOWN())
    assert await scene.world.exchange.orders_since(SYMBOL, 0) == []


async def test_two_preflights_of_one_account_do_not_run_side_by_side(
    scene: Scene, here: Settings, carried: dict[str, Transport]
) -> None:
    """The second would close what the first has just opened."""
    await asked(scene, here, scene.world.key, orders=False)
    [lock] = (here.data_dir / "preflight").glob("*.lock")
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Halt, match="under way"):
            await asked(scene, here, scene.world.key, orders=True)
    assert await scene.world.exchange.orders_since(SYMBOL, 0) == []


def test_a_journals_name_is_one_an_account_and_tells_no_uid() -> None:
    assert journal_name("mainnet", "10000001") == journal_name("mainnet", "10000001")
    assert journal_name("mainnet", "10000001") != journal_name("testnet", "10000001")
    assert "10000001" not in journal_name("mainnet", "10000001")


def test_journals_of_before_and_of_now_are_read_as_one(tmp_path: Path) -> None:
    before, now = tmp_path / "before.jsonl", tmp_path / "now.jsonl"
    line = '{"link": "pf0-1-e0", "symbol": "X", "side": "buy", "qty": "1", "reduce_only": false, "run_ms": 5, '
    before.write_text(line + '"signed_ts": 5}\n', encoding="utf-8")
    journal = JournalFile(now, before)
    assert [intent.run_ms for intent in journal.unfinished()] == [5]
    journal.finished(5)
    assert journal.unfinished() == []
