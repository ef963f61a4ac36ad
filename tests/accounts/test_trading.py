"""The trading desk over a real database and the simulator's real HTTP: accounts, keys, switches, asking."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from lib.accounts.refusal import Refusal
from lib.accounts.trading import Deployment, KeySaved, TradingDesk, TradingPorts
from lib.accounts.web import SessionUser
from lib.adapters.bybit.account_probe import BybitAccountProbe
from lib.adapters.bybit.key_probe import PybitKeyProbe
from lib.adapters.bybit.paper_desk import SimulatorPaperDesk
from lib.adapters.sql.accounts import SqlAccounts
from lib.adapters.sql.commands import LOST, LOST_MS, SqlCommandQueue, SqlCommands
from lib.adapters.sql.keyring import SqlKeyring
from lib.adapters.sql.ledger import SqlLedger
from lib.adapters.sql.own_locks import SqlOwnLocks
from lib.adapters.sql.people import accounts, commands, credentials, users
from lib.adapters.sql.rulings import utc_day
from lib.adapters.sql.trading import risk_locks
from lib.adapters.vault import VaultOpener, VaultSealer, generate_keys
from lib.domain.errors import Pause, Retry
from lib.ports import ApiKey, Flags, SealContext
from tests.contract.conftest import mariadb_engine, migrated_mariadb, migrated_sqlite, sqlite_engine
from tests.contract.exchange_worlds import World, over_http
from tests.factories import INSTALLATION, SYMBOL, order, settings

__all__ = ["mariadb_engine", "migrated_mariadb", "migrated_sqlite", "sqlite_engine"]
pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

PRIVATE, PUBLIC = generate_keys()


@dataclass
class Scene:
    """A desk, its database, its exchange, and one signed-in person."""

    world: World
    engine: sa.Engine
    desk: TradingDesk
    user: SessionUser

    def another(self, name: str = "other") -> SessionUser:
        email = f"{name}@example.test"
        return SessionUser(SqlAccounts(self.engine).add_user(email, "!"), email, "ko")

    async def save(self, key: ApiKey | None = None, user: SessionUser | None = None) -> Refusal | KeySaved:
        key = key or self.world.key
        return await asyncio.to_thread(self.desk.save_key, user or self.user, "paper", key.api_key, key.api_secret)

    async def refusal(self, key: ApiKey | None = None, user: SessionUser | None = None) -> str:
        refusal = await self.save(key, user)
        assert isinstance(refusal, Refusal), refusal
        return refusal.key

    def new_key(self, uid: int = 1_000_001, **changes: object) -> ApiKey:
        key = self.world.engine.add_key(uid)
        key.permissions["Wallet"] = []
        for name, value in changes.items():
            setattr(key, name, value)
        return ApiKey(key.key, key.secret)

    def rows(self, table: sa.Table) -> list[sa.RowMapping]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.select(table).order_by(table.c.id)).mappings())

    def change(self, table: sa.Table, **values: object) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.update(table).values(**values))


@pytest.fixture(params=["sqlite", "mariadb"])
async def scene(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    engine = request.getfixturevalue(f"{request.param}_engine")
    async with over_http(tmp_path, by_pybit=False) as world:
        monkeypatch.setattr("pybit._helpers.generate_timestamp", world.clock.now_ms)
        world.engine.accounts[1_000_001].keys[0].permissions["Wallet"] = []
        urls, clock = {"paper": world.base_url}, world.clock
        ports = TradingPorts(
            accounts=SqlAccounts(engine),
            keyring=SqlKeyring(engine, clock),
            queue=SqlCommandQueue(engine),
            paper=SimulatorPaperDesk(world.base_url, ""),
            key_probe=PybitKeyProbe(urls),  # type: ignore[arg-type]
            account_probe=BybitAccountProbe(urls, clock),  # type: ignore[arg-type]
            sealer=VaultSealer(PUBLIC),
            locks=SqlOwnLocks(engine, clock),
            clock=clock,
        )
        desk = TradingDesk(ports, Deployment("synthetic", ("paper",), SYMBOL, INSTALLATION))
        user = SessionUser(SqlAccounts(engine).add_user("person@example.test", "!"), "person@example.test", "ko")
        yield Scene(world, engine, desk, user)


def opened(scene: Scene, number: int = -1) -> ApiKey:
    """The newest key as the trader would open it."""
    account, key = scene.rows(accounts)[-1], scene.rows(credentials)[number]
    context = SealContext(account["user_id"], account["venue"], account["uid"], key["key_version"])
    return VaultOpener([PRIVATE]).open(key["sealed"], context)


# --- paper ------------------------------------------------------------------------------------------------------------


async def test_a_paper_account_is_opened_sealed_and_funded(scene: Scene) -> None:
    assert await asyncio.to_thread(scene.desk.open_paper, scene.user.user_id, Decimal("2500.5")) is None
    [account] = scene.rows(accounts)
    assert (account["venue"], account["start_balance"], account["active"]) == ("paper", Decimal("2500.5"), True)
    assert account["opened_ms"] == scene.world.clock.now_ms()
    assert scene.world.engine.accounts[int(account["uid"])].cash == Decimal("2500.5")
    assert opened(scene).api_key[-4:] == scene.rows(credentials)[0]["last4"]


async def test_a_second_paper_account_is_refused(scene: Scene) -> None:
    await asyncio.to_thread(scene.desk.open_paper, scene.user.user_id)
    assert await asyncio.to_thread(scene.desk.open_paper, scene.user.user_id) == Refusal("refuse.paper.exists")
    assert len(scene.rows(accounts)) == 1


@pytest.mark.parametrize("balance", ["0", "-1", "1000000.01", "NaN"])
async def test_a_senseless_paper_balance_is_refused(scene: Scene, balance: str) -> None:
    refusal = scene.desk.open_paper(scene.user.user_id, Decimal(balance))
    assert refusal is not None
    assert refusal.key == "refuse.paper.balance"


async def test_a_paper_exchange_that_is_away_or_locked_is_a_reaction(scene: Scene) -> None:
    with pytest.raises(Retry):
        SimulatorPaperDesk("http://127.0.0.1:9", "").open("nobody", Decimal(1))
    with pytest.raises(Retry, match="cannot be read"):
        await asyncio.to_thread(SimulatorPaperDesk(f"{scene.world.base_url}/no", "").open, "x", Decimal(1))
    with pytest.raises(Pause, match="HTTP 400"):
        await asyncio.to_thread(SimulatorPaperDesk(scene.world.base_url, "").open, "x", Decimal(-1))


async def test_a_paper_key_is_as_narrow_as_the_one_we_ask_of_everybody(scene: Scene) -> None:
    await asyncio.to_thread(scene.desk.open_paper, scene.user.user_id)
    saved = await scene.save(opened(scene))
    assert isinstance(saved, KeySaved), "what we open ourselves passes our own gate"


# --- keys -------------------------------------------------------------------------------------------------------------


async def test_a_good_key_is_taken_with_the_wallets_balance_and_shown_by_four_characters(scene: Scene) -> None:
    saved = await scene.save()
    assert isinstance(saved, KeySaved)
    assert saved.last4 == scene.world.key.api_key[-4:]
    [account] = scene.rows(accounts)
    assert (account["uid"], account["start_balance"]) == ("1000001", Decimal(10_000))
    assert opened(scene) == scene.world.key
    assert scene.world.key.api_secret not in scene.rows(credentials)[0]["sealed"]


@pytest.mark.parametrize(
    ("wallet", "read_only", "contract", "key"),
    [
        (["Withdraw"], False, ["Order", "Position"], "refuse.key.withdraw"),
        (["AccountTransfer"], False, ["Order", "Position"], "refuse.key.transfer"),
        ([], True, ["Order", "Position"], "refuse.key.read_only"),
        ([], False, ["Order"], "refuse.key.no_trade"),
    ],
)
async def test_a_key_with_the_wrong_rights_is_refused_and_nothing_is_stored(
    scene: Scene, wallet: list[str], read_only: bool, contract: list[str], key: str
) -> None:
    rights = {"ContractTrade": contract, "Wallet": wallet}
    assert await scene.refusal(scene.new_key(read_only=read_only, permissions=rights)) == key
    assert scene.rows(accounts) == []


async def test_an_unknown_key_and_a_venue_that_is_away_are_told_apart(scene: Scene) -> None:
    assert await scene.refusal(ApiKey("k" * 18, "s" * 36)) == "refuse.key.refused"
    for _ in range(3):
        scene.world.break_next("http_5xx_before", "/v5/user/query-api")
    assert await scene.refusal() == "refuse.key.unreachable"
    assert await scene.refusal(ApiKey("x", "y")) == "refuse.key.shape"
    other_venue = scene.desk.save_key(scene.user, "mainnet", "k" * 18, "s" * 36)
    assert other_venue == Refusal("refuse.key.venue", venue="mainnet")


async def test_an_account_on_which_another_installation_trades_is_refused(scene: Scene) -> None:
    theirs = order(order_link_id=order().order_link_id.replace(INSTALLATION, "other"))
    await scene.world.exchange.send_order(scene.world.exchange.sign_order(theirs, scene.world.clock.now_ms()))
    scene.world.pass_ms(500)
    assert await scene.refusal() == "refuse.key.other_installation"


async def test_anothers_exchange_account_is_refused(scene: Scene) -> None:
    await scene.save()
    assert await scene.refusal(scene.new_key(), scene.another()) == "refuse.key.taken"
    assert len(scene.rows(accounts)) == 1


async def test_a_new_key_of_the_same_account_replaces_and_wipes_the_old_one(scene: Scene) -> None:
    await scene.save()
    scene.desk.set_auto_trade(scene.user, True)
    fresh = scene.new_key()
    assert isinstance(await scene.save(fresh), KeySaved)
    [account] = scene.rows(accounts)
    old, new = scene.rows(credentials)
    assert (account["key_version"], old["sealed"], old["revoked_at"] is None) == (2, "", False)
    assert (new["revoked_at"], opened(scene)) == (None, fresh)
    assert scene.rows(users)[0]["auto_trade_enabled"]


@pytest.mark.parametrize("reason", ["", "the venue refuses the key"])
@pytest.mark.parametrize("deleted", [False, True])
async def test_a_new_key_ends_no_pause(scene: Scene, reason: str, deleted: bool) -> None:
    await scene.save()
    scene.change(accounts, trading_enabled=False, pause_reason=reason)
    if deleted:
        assert scene.desk.delete_key(scene.user) is None
    assert isinstance(await scene.save(scene.new_key()), KeySaved)
    [row] = scene.rows(accounts)
    assert (row["trading_enabled"], row["pause_reason"]) == (False, reason)
    assert scene.desk.resume(scene.user) is None
    [row] = scene.rows(accounts)
    assert (row["trading_enabled"], row["pause_reason"]) == (True, "")


async def test_who_was_not_paused_trades_on_with_a_new_key_after_a_deleted_one_too(scene: Scene) -> None:
    await scene.save()
    for delete in (False, True):
        if delete:
            assert scene.desk.delete_key(scene.user) is None
        assert isinstance(await scene.save(scene.new_key()), KeySaved)
        assert [row["trading_enabled"] for row in scene.rows(accounts)] == [True]


async def test_a_new_key_drops_no_wish_to_close_everything(scene: Scene) -> None:
    await scene.save()
    scene.desk.flatten(scene.user)
    assert isinstance(await scene.save(scene.new_key()), KeySaved)
    [row] = scene.rows(accounts)
    assert (row["trading_enabled"], row["flatten"]) == (False, True)


async def test_another_account_takes_the_place_with_auto_trading_off(scene: Scene) -> None:
    await asyncio.to_thread(scene.desk.open_paper, scene.user.user_id)
    assert scene.desk.set_auto_trade(scene.user, True) is None
    assert isinstance(await scene.save(), KeySaved)
    assert [row["active"] for row in scene.rows(accounts)] == [False, True]
    assert not scene.rows(users)[0]["auto_trade_enabled"]


async def test_an_account_with_a_position_is_neither_replaced_nor_deleted(scene: Scene) -> None:
    await asyncio.to_thread(scene.desk.open_paper, scene.user.user_id)
    scene.change(accounts, position_qty=Decimal("0.010"))
    assert await scene.refusal() == "refuse.key.in_use"
    assert scene.desk.delete_key(scene.user) == Refusal("refuse.key.in_use")
    assert opened(scene).api_secret


async def test_a_deleted_key_is_wiped_and_can_be_entered_again(scene: Scene) -> None:
    await scene.save()
    scene.desk.set_auto_trade(scene.user, True)
    assert scene.desk.delete_key(scene.user) is None
    assert (scene.rows(credentials)[0]["sealed"], scene.rows(users)[0]["auto_trade_enabled"]) == ("", False)
    assert scene.desk.set_auto_trade(scene.user, True) == Refusal("refuse.no_account")
    assert scene.desk.delete_key(scene.user) == Refusal("refuse.no_account")
    assert isinstance(await scene.save(), KeySaved)
    assert [row["key_version"] for row in scene.rows(accounts)] == [2]


# --- switches and asking ----------------------------------------------------------------------------------------------


async def test_auto_trading_needs_an_account_that_may_trade_and_off_always_works(scene: Scene) -> None:
    assert scene.desk.set_auto_trade(scene.user, True) == Refusal("refuse.no_account")
    assert scene.desk.set_auto_trade(scene.user, False) is None
    await scene.save()
    assert scene.desk.pause(scene.user) is None
    assert scene.desk.set_auto_trade(scene.user, True) == Refusal("refuse.paused")
    assert scene.desk.resume(scene.user) is None
    assert scene.desk.set_auto_trade(scene.user, True) is None
    assert scene.rows(users)[0]["auto_trade_since_ms"] == scene.world.clock.now_ms()


async def test_closing_everything_throws_both_switches_at_once_and_nudges_the_trader(scene: Scene) -> None:
    assert scene.desk.flatten(scene.user) == Refusal("refuse.no_account")
    await scene.save()
    assert scene.desk.flatten(scene.user) is None
    [row] = scene.rows(accounts)
    assert (row["trading_enabled"], row["flatten"]) == (False, True), "whatever becomes of the command"
    assert row["pause_reason"] == "its owner asked to close everything"
    assert (row["switched_ms"], row["proven_ms"]) == (scene.world.clock.now_ms(), 0)
    assert [command["kind"] for command in scene.rows(commands)] == ["flatten"]
    assert scene.desk.flatten(replace(scene.user, read_only=True)) == Refusal("refuse.read_only")
    scene.change(accounts, proven_ms=7)
    scene.desk.flatten(scene.user)
    assert [one["proven_ms"] for one in scene.rows(accounts)] == [7], "asked twice is thrown once"


async def test_pausing_leaves_a_close_going_on_and_only_resuming_ends_it(scene: Scene) -> None:
    await scene.save()
    scene.change(accounts, flatten=True, trading_enabled=False, pause_reason="a loss", proven_ms=7)
    assert scene.desk.pause(scene.user) is None
    [row] = scene.rows(accounts)
    assert (row["flatten"], row["proven_ms"]) == (True, 7)
    assert scene.desk.resume(scene.user) is None
    [row] = scene.rows(accounts)
    assert (row["flatten"], row["trading_enabled"], row["pause_reason"]) == (False, True, "")
    assert (row["switched_ms"], row["proven_ms"]) == (scene.world.clock.now_ms(), 0)


@pytest.mark.parametrize("flatten", [False, True])
async def test_an_operators_stop_is_not_its_owners_to_end(scene: Scene, flatten: bool) -> None:
    await scene.save()
    scene.desk.pause(scene.user)
    ledger = SqlLedger(scene.engine, installation=INSTALLATION, clock=scene.world.clock)
    account_id = scene.rows(accounts)[0]["id"]
    stop = Flags(trading_enabled=False, flatten=flatten, why="an operator stopped trading")
    await ledger.set_account_flags(account_id, stop, "cli:kim@desk")
    assert scene.desk.resume(scene.user) == Refusal("refuse.operator_stop")
    assert isinstance(await scene.save(scene.new_key()), KeySaved)
    assert scene.desk.pause(scene.user) is None
    assert scene.desk.flatten(scene.user) is None
    assert scene.desk.resume(scene.user) == Refusal("refuse.operator_stop")
    [row] = scene.rows(accounts)
    assert (row["trading_enabled"], row["flatten"], row["paused_by"]) == (False, True, "operator")
    assert row["pause_reason"] == "an operator stopped trading"
    await ledger.set_account_flags(account_id, Flags(True, False), "cli:kim@desk")
    assert scene.desk.pause(scene.user) is None
    assert scene.desk.resume(scene.user) is None
    [row] = scene.rows(accounts)
    assert (row["trading_enabled"], row["flatten"], row["paused_by"]) == (True, False, "")
    ledger.close()


async def test_an_operators_stop_goes_along_to_another_account(scene: Scene) -> None:
    await asyncio.to_thread(scene.desk.open_paper, scene.user.user_id)
    ledger = SqlLedger(scene.engine, installation=INSTALLATION, clock=scene.world.clock)
    stop = Flags(trading_enabled=False, flatten=False, why="an operator stopped trading")
    await ledger.set_account_flags(scene.rows(accounts)[0]["id"], stop, "cli:kim@desk")
    assert isinstance(await scene.save(), KeySaved)
    retired, fresh = scene.rows(accounts)
    assert (retired["active"], fresh["active"]) == (False, True)
    assert (fresh["trading_enabled"], fresh["paused_by"]) == (False, "operator")
    assert fresh["pause_reason"] == "an operator stopped trading"
    assert scene.desk.resume(scene.user) == Refusal("refuse.operator_stop")
    ledger.close()


@pytest.mark.parametrize("kind", ["drawdown", "loss_streak", "external"])
async def test_a_person_ends_a_lock_of_their_own_account_once(scene: Scene, kind: str) -> None:
    await scene.save()
    now = scene.world.clock.now_ms()
    held = {"kind": kind, "utc_day": utc_day(now), "until_ms": now + 60_000, "why": "a reason", "created_ms": now}
    account_id = scene.rows(accounts)[0]["id"]
    with scene.engine.begin() as connection:
        connection.execute(sa.insert(risk_locks).values(account_id=account_id, **held))
    other = scene.another()
    assert scene.desk.end_lock(other, kind) == Refusal("refuse.lock.gone")
    assert scene.desk.end_lock(replace(scene.user, read_only=True), kind) == Refusal("refuse.read_only")
    assert scene.desk.end_lock(scene.user, kind) is None
    [row] = scene.rows(risk_locks)
    assert (row["until_ms"], row["ended_by"]) == (now, f"user:{scene.user.user_id}")
    assert scene.desk.end_lock(scene.user, kind) == Refusal("refuse.lock.gone")


@pytest.mark.parametrize("kind", ["daily_loss", "entries", "cooldown", "", "x" * 500])
async def test_a_lock_that_ends_by_itself_is_not_ended_by_hand(scene: Scene, kind: str) -> None:
    await scene.save()
    assert scene.desk.end_lock(scene.user, kind) == Refusal("refuse.lock.kind")


async def test_asking_is_for_those_with_an_account_once_a_minute_and_each_for_themselves(scene: Scene) -> None:
    assert scene.desk.ask_now(scene.user) == Refusal("refuse.no_account")
    await scene.save()
    assert scene.desk.ask_now(scene.user) is None
    scene.world.pass_ms(20_500)
    assert scene.desk.ask_now(scene.user) == Refusal("refuse.wait", seconds=40)
    other = scene.another()
    await asyncio.to_thread(scene.desk.open_paper, other.user_id)
    assert scene.desk.ask_now(other) is None
    assert scene.desk.recheck_key(scene.user) is None
    scene.world.pass_ms(39_500)
    assert scene.desk.ask_now(scene.user) is None


async def test_a_command_is_taken_once_and_a_lost_one_is_told_so(scene: Scene) -> None:
    await scene.save()
    scene.desk.ask_now(scene.user)
    inbox, now = SqlCommands(scene.engine, scene.world.clock), scene.world.clock.now_ms()
    assert await inbox.waiting()
    [taken] = await inbox.take(now)
    assert (taken.kind, taken.user_id, taken.asked_ms) == ("ask_now", scene.user.user_id, now)
    assert await inbox.take(now) == []
    assert await inbox.take(now + LOST_MS + 1) == []
    assert not await inbox.waiting()
    assert scene.rows(commands)[0]["result"] == LOST


async def test_a_read_only_visitor_is_refused_every_act_and_nothing_changes(scene: Scene) -> None:
    await scene.save()
    visitor = SessionUser(scene.user.user_id, "demo", "ko", is_demo=True, read_only=True)
    before = (scene.rows(users), scene.rows(accounts), scene.rows(credentials))
    desk = scene.desk
    acts = [
        desk.change_settings(visitor, settings(max_leverage=2)),
        desk.set_auto_trade(visitor, True),
        desk.set_auto_trade(visitor, False),
        desk.save_key(visitor, "paper", "k" * 18, "s" * 36),
        desk.delete_key(visitor),
        desk.ask_now(visitor),
        desk.recheck_key(visitor),
        desk.pause(visitor),
        desk.resume(visitor),
        desk.flatten(visitor),
    ]
    assert acts == [Refusal("refuse.read_only")] * len(acts)
    assert (scene.rows(users), scene.rows(accounts), scene.rows(credentials)) == before


async def test_settings_are_saved_for_their_owner_alone_and_bad_ones_not_at_all(scene: Scene) -> None:
    other = scene.another()
    assert scene.desk.change_settings(scene.user, settings(max_leverage=3)) is None
    refusal = scene.desk.change_settings(other, settings(max_leverage=99))
    assert refusal is not None
    assert [row["max_leverage"] for row in scene.rows(users)] == [3, 10]
