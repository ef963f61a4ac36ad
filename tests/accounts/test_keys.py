"""The trading desk's accounts and keys: paper, saving, replacing, deleting."""

import asyncio
from decimal import Decimal

import pytest

from lib import log
from lib.accounts.refusal import Refusal
from lib.accounts.trading import KeySaved
from lib.adapters.bybit.rest.paper_accounts import SimulatorPaperAccounts
from lib.adapters.sql.tables.people import account_symbols, accounts, credentials, users
from lib.domain import reason_codes as codes
from lib.domain.api_key import ApiKey
from lib.domain.errors import Pause, Retry
from lib.domain.reason import NOTHING, Reason, text
from tests.accounts.conftest import Scene, opened
from tests.factories import INSTALLATION, order

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]


# --- paper ------------------------------------------------------------------------------------------------------------


async def test_a_paper_account_is_opened_sealed_and_funded(scene: Scene) -> None:
    assert await asyncio.to_thread(scene.desk.open_paper, scene.user, Decimal("2500.5")) is None
    [account] = scene.rows(accounts)
    assert (account["venue"], account["start_balance"], account["active"]) == ("paper", Decimal("2500.5"), True)
    assert account["opened_ms"] == scene.world.clock.now_ms()
    assert scene.world.engine.accounts[int(account["uid"])].cash == Decimal("2500.5")
    assert opened(scene).api_key[-4:] == scene.rows(credentials)[0]["last4"]


async def test_a_second_paper_account_is_refused(scene: Scene) -> None:
    await asyncio.to_thread(scene.desk.open_paper, scene.user)
    assert await asyncio.to_thread(scene.desk.open_paper, scene.user) == Refusal("refuse.paper.exists")
    assert len(scene.rows(accounts)) == 1


@pytest.mark.parametrize("balance", ["0", "-1", "1000000.01", "NaN"])
async def test_a_senseless_paper_balance_is_refused(scene: Scene, balance: str) -> None:
    refusal = scene.desk.open_paper(scene.user, Decimal(balance))
    assert refusal is not None
    assert refusal.key == "refuse.paper.balance"


async def test_a_paper_exchange_that_is_away_or_locked_is_a_reaction(scene: Scene) -> None:
    with pytest.raises(Retry):
        SimulatorPaperAccounts("http://127.0.0.1:9", "").open("nobody", Decimal(1))
    with pytest.raises(Retry, match="paper_unreadable"):
        await asyncio.to_thread(SimulatorPaperAccounts(f"{scene.world.base_url}/no", "").open, "x", Decimal(1))
    with pytest.raises(Pause, match="paper_http status=400"):
        await asyncio.to_thread(SimulatorPaperAccounts(scene.world.base_url, "").open, "x", Decimal(-1))


async def test_a_paper_key_is_as_narrow_as_the_one_we_ask_of_everybody(scene: Scene) -> None:
    await asyncio.to_thread(scene.desk.open_paper, scene.user)
    saved = await scene.save(opened(scene))
    assert isinstance(saved, KeySaved), "what we open ourselves passes our own gate"


async def test_ordinary_words_typed_as_a_key_stay_readable_in_everybodys_log(scene: Scene) -> None:
    words = ApiKey("auto-trading", "switched-off")
    assert await scene.refusal(words) == "refuse.key.refused"
    assert log.redact("auto-trading is switched-off") == "auto-trading is switched-off"


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


async def test_everything_that_is_wrong_with_a_key_is_told_at_once(scene: Scene) -> None:
    rights = {"ContractTrade": ["Order"], "Wallet": ["Withdraw", "AccountTransfer"]}
    refused = await scene.save(scene.new_key(permissions=rights))
    assert isinstance(refused, Refusal)
    assert (refused.key, refused.params["wrong"]) == ("refuse.key.flaws", "no_withdraw,no_transfer,trade")
    assert refused.reasons == (codes.KEY_WITHDRAWS(), codes.KEY_TRANSFERS(), codes.KEY_NO_TRADE())
    assert scene.rows(accounts) == []


@pytest.mark.parametrize(
    ("code", "key"),
    [
        (10003, "refuse.key.refused"),
        (33004, "refuse.key.refused"),
        (10010, "refuse.key.refused"),
        (777_777, "refuse.key.refused"),
        (10016, "refuse.key.later"),
        (10006, "refuse.key.later"),
    ],
)
async def test_what_the_venue_says_is_what_the_person_reads(scene: Scene, code: int, key: str) -> None:
    refused = await scene.save(scene.new_key(refusal=code))
    assert isinstance(refused, Refusal)
    assert (refused.key, refused.params["code"]) == (key, code)
    assert refused.params["said"]
    assert scene.rows(accounts) == []


@pytest.mark.parametrize("path", ["/v5/account/wallet-balance", "/v5/account/info", "/v5/position/switch-mode"])
async def test_a_refusal_at_any_step_of_the_check_is_told(scene: Scene, path: str) -> None:
    scene.world.break_next("err_10016_before", path)
    refused = await scene.save()
    assert isinstance(refused, Refusal)
    assert (refused.key, refused.params["code"]) == ("refuse.key.later", 10016)


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


@pytest.mark.parametrize("reason", [NOTHING, text("the venue refuses the key")], ids=str)
@pytest.mark.parametrize("deleted", [False, True])
async def test_a_new_key_ends_no_pause(scene: Scene, reason: Reason, deleted: bool) -> None:
    await scene.save()
    scene.change(accounts, trading_enabled=False, pause_reason=reason)
    if deleted:
        assert scene.desk.delete_key(scene.user) is None
    assert isinstance(await scene.save(scene.new_key()), KeySaved)
    [row] = scene.rows(accounts)
    assert (row["trading_enabled"], row["pause_reason"]) == (False, reason)
    assert scene.desk.resume(scene.user) is None
    [row] = scene.rows(accounts)
    assert (row["trading_enabled"], row["pause_reason"]) == (True, NOTHING)


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
    await asyncio.to_thread(scene.desk.open_paper, scene.user)
    assert scene.desk.set_auto_trade(scene.user, True) is None
    assert isinstance(await scene.save(), KeySaved)
    assert [row["active"] for row in scene.rows(accounts)] == [False, True]
    assert not scene.rows(users)[0]["auto_trade_enabled"]


async def test_an_account_with_a_position_is_neither_replaced_nor_deleted(scene: Scene) -> None:
    await asyncio.to_thread(scene.desk.open_paper, scene.user)
    scene.change(account_symbols, position_qty=Decimal("0.010"))
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
