"""The trading desk's switches, locks, questions to the trader and settings, and whom each is refused."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa

from lib.accounts.refusal import Refusal
from lib.accounts.trading import KeySaved
from lib.accounts.web import SessionUser
from lib.adapters.sql.forms.commands import LOST, LOST_MS, MOST_AT_ONCE, SqlCommands
from lib.adapters.sql.ledger.ledger import SqlLedger
from lib.adapters.sql.tables.people import account_symbols, accounts, audit_events, commands, credentials, users
from lib.adapters.sql.tables.trading import risk_locks
from lib.domain import reason_codes as codes
from lib.domain.account import Doubt, RiskLevel, Venue
from lib.domain.api_key import ApiKey, KeyInfo
from lib.domain.day import utc_day
from lib.domain.reason import NOTHING, text
from lib.domain.switches import Flags
from lib.ports.exchange import KeyProbe
from tests.accounts.conftest import Scene
from tests.factories import INSTALLATION, settings

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]


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
    assert row["pause_reason"] == codes.CLOSED_BY_OWNER()
    assert (row["switched_ms"], row["proven_ms"]) == (scene.world.clock.now_ms(), 0)
    assert [command["kind"] for command in scene.rows(commands)] == ["flatten"]
    assert scene.desk.flatten(replace(scene.user, read_only=True)) == Refusal("refuse.read_only")
    scene.change(accounts, proven_ms=7)
    scene.desk.flatten(scene.user)
    assert [one["proven_ms"] for one in scene.rows(accounts)] == [7], "asked twice is thrown once"


class Preparing:
    """A key probe that notes for which symbols it prepares."""

    def __init__(self, inner: KeyProbe, prepared: list[tuple[str, ...]]) -> None:
        self._inner, self._prepared = inner, prepared

    def key_info(self, venue: Venue, key: ApiKey) -> KeyInfo:
        return self._inner.key_info(venue, key)

    def prepare(self, venue: Venue, key: ApiKey, symbols: Sequence[str]) -> tuple[Doubt, ...]:
        self._prepared.append(tuple(symbols))
        return self._inner.prepare(venue, key, symbols)

    def set_one_way(self, venue: Venue, key: ApiKey, symbols: Sequence[str]) -> None:
        self._inner.set_one_way(venue, key, symbols)


def traded(scene: Scene) -> list[bool]:
    """Whether each symbol that the account ever traded is traded now, by number."""
    query = sa.select(account_symbols.c.traded).order_by(account_symbols.c.symbol_no)
    with scene.engine.connect() as connection:
        return [bool(one) for one in connection.scalars(query)]


async def test_what_an_account_trades_is_chosen_among_what_the_operator_offers(scene: Scene) -> None:
    assert scene.desk.choose_symbols(scene.user, ["ETHUSDT"]) == Refusal("refuse.no_account")
    await scene.save()
    offered = Refusal("refuse.symbols", offered="BTCUSDT, ETHUSDT")
    assert scene.desk.choose_symbols(scene.user, []) == offered
    assert scene.desk.choose_symbols(scene.user, ["DOGEUSDT"]) == offered
    assert scene.desk.choose_symbols(scene.user, ["ETHUSDT", "BTCUSDT", "ETHUSDT"]) is None
    assert traded(scene) == [True, True]
    assert scene.desk.choose_symbols(scene.user, ["ETHUSDT"]) is None
    assert scene.desk.choose_symbols(scene.user, ["ETHUSDT"]) is None
    assert traded(scene) == [False, True]
    noted = [row["detail"] for row in scene.rows(audit_events) if row["event"] == "symbols_chosen"]
    assert noted == ["BTCUSDT, ETHUSDT", "ETHUSDT"], "what changes nothing is not noted"
    assert scene.desk.close_position(scene.user, "long", "ETHUSDT") is None
    seen, taken = await SqlCommands(scene.engine, scene.world.clock).take(scene.world.clock.now_ms())
    assert seen.kind == "recheck_key", "which sets the mode of positions in what is new"
    assert (taken.side, taken.symbol) == ("long", "ETHUSDT")


async def test_another_key_is_prepared_for_every_symbol_the_account_trades(scene: Scene) -> None:
    await scene.save()
    assert scene.desk.choose_symbols(scene.user, ["ETHUSDT", "BTCUSDT"]) is None
    prepared: list[tuple[str, ...]] = []
    probe = scene.desk._ports.key_probe
    scene.desk._ports = replace(scene.desk._ports, key_probe=Preparing(probe, prepared))
    assert isinstance(await scene.save(scene.new_key()), KeySaved)
    assert prepared == [("BTCUSDT", "ETHUSDT")]


async def test_closing_one_position_asks_the_trader_and_switches_nothing(scene: Scene) -> None:
    assert scene.desk.close_position(scene.user, "long") == Refusal("refuse.no_account")
    await scene.save()
    before = (scene.rows(users), scene.rows(accounts))
    assert scene.desk.close_position(scene.user, "short") is None
    assert scene.desk.close_position(scene.user, "short") == Refusal("refuse.wait.close", seconds=5)
    assert (scene.rows(users), scene.rows(accounts)) == before
    [taken] = await SqlCommands(scene.engine, scene.world.clock).take(scene.world.clock.now_ms())
    assert (taken.kind, taken.side, taken.user_id) == ("close", "short", scene.user.user_id)
    assert [row["event"] for row in scene.rows(audit_events)].count("close_asked") == 1, "once asked is once noted"


async def test_a_close_waits_for_no_other_symbols(scene: Scene) -> None:
    await scene.save()
    wait = Refusal("refuse.wait.close", seconds=5)
    answers = [scene.desk.close_position(scene.user, "long", symbol) for symbol in ("", "ETHUSDT", "", "ETHUSDT")]
    assert answers == [None, None, wait, wait]


async def test_closes_of_names_without_end_are_not_put(scene: Scene) -> None:
    await scene.save()
    answers = [scene.desk.close_position(scene.user, "long", f"A{number}USDT") for number in range(40)]
    assert answers.count(None) == MOST_AT_ONCE
    assert answers[-1] == Refusal("refuse.wait.close", seconds=5)


async def test_pausing_leaves_a_close_going_on_and_only_resuming_ends_it(scene: Scene) -> None:
    await scene.save()
    scene.change(accounts, flatten=True, trading_enabled=False, pause_reason=text("a loss"), proven_ms=7)
    assert scene.desk.pause(scene.user) is None
    [row] = scene.rows(accounts)
    assert (row["flatten"], row["proven_ms"]) == (True, 7)
    assert scene.desk.resume(scene.user) is None
    [row] = scene.rows(accounts)
    assert (row["flatten"], row["trading_enabled"], row["pause_reason"]) == (False, True, NOTHING)
    assert (row["switched_ms"], row["proven_ms"]) == (scene.world.clock.now_ms(), 0)


@pytest.mark.parametrize("flatten", [False, True])
async def test_an_operators_stop_is_not_its_owners_to_end(scene: Scene, flatten: bool) -> None:
    await scene.save()
    scene.desk.pause(scene.user)
    ledger = SqlLedger(scene.engine, installation=INSTALLATION, clock=scene.world.clock)
    account_id = scene.rows(accounts)[0]["id"]
    stop = Flags(trading_enabled=False, flatten=flatten, why=codes.STOPPED_BY_OPERATOR())
    await ledger.set_account_flags(account_id, stop, "cli:kim@desk")
    assert scene.desk.resume(scene.user) == Refusal("refuse.operator_stop")
    assert isinstance(await scene.save(scene.new_key()), KeySaved)
    assert scene.desk.pause(scene.user) is None
    assert scene.desk.flatten(scene.user) is None
    assert scene.desk.resume(scene.user) == Refusal("refuse.operator_stop")
    [row] = scene.rows(accounts)
    assert (row["trading_enabled"], row["flatten"], row["paused_by"]) == (False, True, "operator")
    assert row["pause_reason"] == codes.STOPPED_BY_OPERATOR()
    await ledger.set_account_flags(account_id, Flags(True, False), "cli:kim@desk")
    [row] = scene.rows(accounts)
    assert (row["trading_enabled"], row["flatten"], row["paused_by"]) == (False, True, "owner"), (
        "closing was their wish"
    )
    assert row["pause_reason"] == codes.CLOSED_BY_OWNER()
    assert scene.desk.resume(scene.user) is None
    [row] = scene.rows(accounts)
    assert (row["trading_enabled"], row["flatten"], row["paused_by"]) == (True, False, "")
    ledger.close()


async def test_an_owners_pause_over_the_systems_is_not_an_operators_to_end(scene: Scene) -> None:
    await scene.save()
    ledger = SqlLedger(scene.engine, installation=INSTALLATION, clock=scene.world.clock)
    account_id = scene.rows(accounts)[0]["id"]
    await ledger.pause(account_id, text("its key was refused"))
    assert scene.desk.pause(scene.user) is None
    await ledger.set_account_flags(account_id, Flags(True, False), "cli:kim@desk")
    [row] = scene.rows(accounts)
    assert (row["trading_enabled"], row["paused_by"]) == (False, "owner")
    ledger.close()


@pytest.mark.parametrize("flatten", [False, True])
@pytest.mark.parametrize("wish", ["nothing", "pause", "close"])
async def test_what_an_owner_wishes_under_an_operators_stop_stands_after_it(
    scene: Scene, wish: str, flatten: bool
) -> None:
    await scene.save()
    ledger = SqlLedger(scene.engine, installation=INSTALLATION, clock=scene.world.clock)
    account_id = scene.rows(accounts)[0]["id"]
    await ledger.set_account_flags(account_id, Flags(False, flatten=flatten), "cli:kim@desk")
    if wish == "close":
        assert scene.desk.flatten(scene.user) is None
    if wish != "nothing":
        assert scene.desk.pause(scene.user) is None, "which takes no close back"
    await ledger.set_account_flags(account_id, Flags(True, False), "cli:kim@desk")
    [row] = scene.rows(accounts)
    assert (row["trading_enabled"], row["flatten"]) == (wish == "nothing", wish == "close")
    assert row["owner_stop"] == ""
    ledger.close()


async def test_an_operators_stop_goes_along_to_another_account(scene: Scene) -> None:
    await asyncio.to_thread(scene.desk.open_paper, scene.user)
    ledger = SqlLedger(scene.engine, installation=INSTALLATION, clock=scene.world.clock)
    stop = Flags(trading_enabled=False, flatten=False, why=codes.STOPPED_BY_OPERATOR())
    await ledger.set_account_flags(scene.rows(accounts)[0]["id"], stop, "cli:kim@desk")
    assert isinstance(await scene.save(), KeySaved)
    retired, fresh = scene.rows(accounts)
    assert (retired["active"], fresh["active"]) == (False, True)
    assert (fresh["trading_enabled"], fresh["paused_by"]) == (False, "operator")
    assert fresh["pause_reason"] == codes.STOPPED_BY_OPERATOR()
    assert scene.desk.resume(scene.user) == Refusal("refuse.operator_stop")
    ledger.close()


@pytest.mark.parametrize("kind", ["drawdown", "loss_streak", "external"])
async def test_a_person_ends_a_lock_of_their_own_account_once(scene: Scene, kind: str) -> None:
    await scene.save()
    now = scene.world.clock.now_ms()
    held = {"kind": kind, "utc_day": utc_day(now), "until_ms": now + 60_000, "why": text("a reason"), "created_ms": now}
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
    assert scene.desk.ask_now(scene.user) == Refusal("refuse.wait.ask_now", seconds=40)
    other = scene.another()
    await asyncio.to_thread(scene.desk.open_paper, other)
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
        desk.change_settings(visitor, settings(max_leverage=2), 1),
        desk.set_auto_trade(visitor, True),
        desk.set_auto_trade(visitor, False),
        desk.save_key(visitor, "paper", "k" * 18, "s" * 36),
        desk.delete_key(visitor),
        desk.ask_now(visitor),
        desk.recheck_key(visitor),
        desk.pause(visitor),
        desk.resume(visitor),
        desk.flatten(visitor),
        desk.close_position(visitor, "long"),
    ]
    assert acts == [Refusal("refuse.read_only")] * len(acts)
    assert (scene.rows(users), scene.rows(accounts), scene.rows(credentials)) == before


async def test_settings_are_saved_for_their_owner_alone_and_bad_ones_not_at_all(scene: Scene) -> None:
    other = scene.another()
    assert scene.desk.change_settings(scene.user, settings(max_leverage=3), 1) is None
    refusal = scene.desk.change_settings(other, settings(max_leverage=99), 1)
    assert refusal is not None
    assert [row["max_leverage"] for row in scene.rows(users)] == [3, 10]


async def test_a_guest_chooses_anything_but_instructions_of_their_own(scene: Scene) -> None:
    guest = replace(scene.user, is_guest=True)
    refused = scene.desk.change_settings(guest, settings(custom_prompt="careful"), 1)
    assert refused == Refusal("refuse.guest_prompt")
    assert scene.desk.change_settings(guest, settings(max_leverage=3), 1) is None
    assert [(row["custom_prompt"] or "", row["max_leverage"]) for row in scene.rows(users)] == [("", 3)]


async def test_settings_read_before_another_tab_saved_are_not_written_back(scene: Scene) -> None:
    low = settings(RiskLevel.LOW)
    assert scene.desk.change_settings(scene.user, low, 1) is None
    stale = Refusal("refuse.settings.stale")
    assert scene.desk.change_settings(scene.user, settings(RiskLevel.MEDIUM, max_leverage=3), 1) == stale
    assert [(row["risk_level"], row["settings_version"]) for row in scene.rows(users)] == [("low", 2)]
    assert scene.desk.change_settings(scene.user, low, 1) is None, "what stands already is no conflict"
    assert scene.desk.change_settings(scene.user, settings(RiskLevel.LOW, max_leverage=3), 2) is None
    assert [(row["max_leverage"], row["settings_version"]) for row in scene.rows(users)] == [(3, 3)]


async def test_of_tabs_that_save_at_once_one_wins_and_the_others_are_told(scene: Scene) -> None:
    wishes = [settings(max_leverage=number) for number in range(1, 7)]
    saving = (asyncio.to_thread(scene.desk.change_settings, scene.user, wish, 1) for wish in wishes)
    answers = await asyncio.gather(*saving)
    assert sorted(str(answer) for answer in answers) == sorted(["None", *[str(Refusal("refuse.settings.stale"))] * 5])
    [row] = scene.rows(users)
    assert (row["settings_version"], row["max_leverage"]) == (2, answers.index(None) + 1)


async def test_instructions_are_not_rewritten_again_and_again_and_other_choices_are_not_paced(scene: Scene) -> None:
    answers = [scene.desk.change_settings(scene.user, settings(custom_prompt=f"{n}"), n) for n in range(1, 36)]
    saved = answers.index(Refusal("refuse.wait", seconds=2))
    assert answers[:saved] == [None] * saved
    assert 30 <= saved <= 32
    again = settings(custom_prompt=f"{saved}", max_leverage=3)
    assert scene.desk.change_settings(scene.user, again, saved + 1) is None
