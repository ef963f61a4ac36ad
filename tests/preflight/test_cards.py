"""The acceptance cards against the simulated exchange: all pass on a sound one, and each habit fails its own card."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lib.adapters.bybit.rest.transport import Transport
from lib.domain import reason_codes as codes
from lib.domain.order import OrderState, base36
from lib.domain.preflight import NOT_ASKED, ORDER_CARDS, READ_CARDS, Card, CardResult, Intent, PreflightRun
from lib.preflight.run import run_preflight
from lib.preflight.sending import signed_now
from lib.reason_text import said
from tests.contract.exchange_worlds import AS_BYBITS_DEMO, in_process
from tests.factories import SYMBOL
from tests.preflight.conftest import Scene
from tests.worlds.examined import Examined, got


def failed(run: PreflightRun) -> list[CardResult]:
    """The cards that were asked and did not pass."""
    return [row for row in run.results if not row.passed and row.got != NOT_ASKED]


async def test_every_card_passes_on_a_sound_account_and_nothing_is_left_open(scene: Scene) -> None:
    run = await scene.examined().run()
    assert failed(run) == []
    assert run.passed((*READ_CARDS, *ORDER_CARDS))
    assert (await scene.world.exchange.position(SYMBOL)).is_flat
    assert await scene.world.exchange.open_orders(SYMBOL) == []


async def test_every_result_is_told_in_order_and_has_its_question(scene: Scene) -> None:
    examined = scene.examined()
    run = await examined.run()
    assert tuple(row.card for row in examined.told) == (*READ_CARDS, *ORDER_CARDS) == tuple(r.card for r in run.results)
    assert all(
        said(row.asks, language) and said(row.expects, language) for row in run.results for language in ("ko", "en")
    )


async def test_without_leave_to_trade_nothing_is_sent(scene: Scene) -> None:
    run = await scene.examined().run(trade=False)
    assert [row.card for row in run.results] == list(READ_CARDS)
    assert await scene.world.exchange.orders_since(SYMBOL, 0) == []
    assert not run.passed(ORDER_CARDS)


async def test_demo_trading_is_examined_without_what_it_does_not_tell(tmp_path: Path) -> None:
    async with in_process(AS_BYBITS_DEMO) as world:
        from pathlib import Path
        from tempfile import TemporaryDirectory

        with TemporaryDirectory() as folder:
            run = await Examined(world.transport, world.clock, world.key, Path(folder), "demo").run()
    assert failed(run) == []
    assert got(run, Card.KEY).got == codes.CARD_NOT_OFFERED(venue="demo")
    assert got(run, Card.ACCOUNT).got == codes.CARD_MODES_TAKEN_ON()


async def test_what_a_venue_of_real_money_does_not_tell_is_a_card_that_fails(scene: Scene) -> None:
    scene.account.is_demo = True
    run = await scene.examined("mainnet").run()
    assert {row.card for row in failed(run)} == {Card.KEY, Card.FEES}


def habits(kind: str, times: int = 1, **params: Any) -> Any:
    def broken(scene: Scene) -> None:
        for _ in range(times):
            scene.world.break_next(kind, **params)

    return broken


def read_only(scene: Scene) -> None:
    scene.account.keys[0].read_only = True


def withdraws(scene: Scene) -> None:
    scene.account.keys[0].permissions["Wallet"] = ["Withdraw"]


def unbound(scene: Scene) -> None:
    scene.account.keys[0].ips = []


def hedged(scene: Scene) -> None:
    scene.account.position_mode = 3


def crossed(scene: Scene) -> None:
    scene.account.margin_mode = "REGULAR_MARGIN"


def poor(scene: Scene) -> None:
    scene.world.engine.dealing.deposit(scene.account.uid, Decimal("-9990"))


BROKEN: dict[str, tuple[Any, Card, str, str]] = {
    "region": (habits("region_403"), Card.REGION, "국가", "country"),
    "clock": (habits("clock_skew", ms=-2_500), Card.CLOCK, "2,500밀리초", "2,500 ms"),
    "rights": (read_only, Card.KEY, "읽기", "read"),
    "withdrawals": (withdraws, Card.KEY, "출금", "withdraw"),
    "unbound": (unbound, Card.KEY, "IP", "bind it"),
    "hedge": (hedged, Card.POSITION_MODE, "양방향", "hedge"),
    "cross": (crossed, Card.ACCOUNT, "교차", "cross"),
    "halted": (habits("halt"), Card.INSTRUMENT, "거래", "trad"),
    "poor": (poor, Card.EQUITY, "필요", "needed"),
    "twin": (habits("twin_taken", times=2), Card.DUPLICATE, "두 번", "twice"),
    "stopless": (habits("drop_stop"), Card.ENTRY, "손절", "stop"),
    "unfilled": (habits("no_fill"), Card.ENTRY, "취소", "cancelled"),
    "rejected": (habits("async_reject"), Card.ENTRY, "거부", "refused"),
    "refused": (habits("refuse_stop", times=2), Card.STOP_MOVED, "이동했는데", "moved"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_habit_fails_its_own_card_with_one_line_in_both_languages(scene: Scene, name: str) -> None:
    breaks, card, ko, en = BROKEN[name]
    breaks(scene)
    run = await scene.examined("mainnet").run()
    assert [row.card for row in failed(run)] == [card], [(row.card, str(row.got)) for row in failed(run)]
    lines = {language: said(got(run, card).got, language) for language in ("ko", "en")}
    assert ko in lines["ko"], lines
    assert en in lines["en"], lines
    assert all("\n" not in line for line in lines.values())
    assert not run.is_flawless


@pytest.mark.parametrize("name", ["twin", "stopless", "unfilled", "refused"])
async def test_a_run_that_fails_on_the_way_leaves_nothing_open(scene: Scene, name: str) -> None:
    BROKEN[name][0](scene)
    await scene.examined().run()
    assert (await scene.world.exchange.position(SYMBOL)).is_flat
    assert await scene.world.exchange.open_orders(SYMBOL) == []


@pytest.mark.parametrize("kind", ["drop_reply", "http_5xx_after", "err_10000_after"])
async def test_a_lost_reply_is_no_failure_the_order_is_asked_for(scene: Scene, kind: str) -> None:
    scene.world.break_next(kind, "/v5/order/create")
    run = await scene.examined().run()
    assert failed(run) == []


async def test_an_order_that_never_arrived_is_proved_absent_and_the_card_says_so(scene: Scene) -> None:
    scene.world.break_next("drop_before", "/v5/order/create")
    run = await scene.examined().run()
    assert [(row.card, row.got) for row in failed(run)] == [(Card.ENTRY, codes.CARD_END_UNKNOWN())]


async def test_an_account_that_holds_something_is_not_traded_on(scene: Scene) -> None:
    await scene.examined().run()
    before = len(await scene.world.exchange.orders_since(SYMBOL, 0))
    scene.world.pass_ms(60_000)
    await open_by_hand(scene)
    run = await scene.examined().run()
    assert got(run, Card.QUIET).got == codes.CARD_NOT_QUIET(symbol=SYMBOL)
    assert len(await scene.world.exchange.orders_since(SYMBOL, 0)) == before + 3, (
        "the hand's order, its stop and target"
    )
    assert not (await scene.world.exchange.position(SYMBOL)).is_flat, "what is somebody's own stays"


async def open_by_hand(scene: Scene) -> None:
    """An order of somebody else's fills: three records, with its stop and target."""
    preflight = scene.examined().preflight()
    now = scene.world.clock.now_ms()
    hand = Intent("by-hand", SYMBOL, "buy", Decimal("0.001"), False, now, now)
    await preflight.at.exchange.send_order(
        signed_now(preflight, hand, Decimal(60_100), Decimal(59_000), Decimal(62_000))
    )
    scene.world.pass_ms(1_000)


async def test_an_intent_is_written_down_before_it_is_sent_and_its_id_is_the_same_for_ever(scene: Scene) -> None:
    examined = scene.examined()
    run = await examined.run()
    rows = [json.loads(line) for line in (scene.folder / "journal.jsonl").read_text("utf-8").splitlines()]
    links = [row["link"] for row in rows if "link" in row]
    assert links[0] == links[1], "the twin is the same intent"
    assert all(link.startswith(f"pft3st-{base36(run.started_ms)}-") for link in links)
    assert rows[-1] == {"finished": run.started_ms}


class Killed(BaseException):
    """The end of the process."""


class KilledAt(Transport):
    """*inner*, until a request for *path*."""

    def __init__(self, inner: Transport, path: str) -> None:
        self._inner, self._path = inner, path

    async def request(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        if path == self._path:
            raise Killed
        return await self._inner.request(method, path, query, headers, body)


async def test_a_run_that_was_killed_in_the_open_is_brought_to_its_end_by_the_next(scene: Scene) -> None:
    """The process dies after the entry filled: a position nobody watches, known from the journal alone."""
    examined = scene.examined()
    examined.transport = KilledAt(examined.transport, "/v5/position/trading-stop")
    with pytest.raises(Killed):
        await examined.run()
    assert not (await scene.world.exchange.position(SYMBOL)).is_flat
    scene.world.pass_ms(60_000)
    run = await scene.examined().run()
    assert failed(run) == []
    orders = await scene.world.exchange.orders_since(SYMBOL, 0)
    assert all(order.state is not None for order in orders)
    assert {order.state for order in orders} <= {OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED}


async def test_what_a_killed_run_left_is_closed_though_a_reading_card_fails_and_another_symbol_is_asked(
    scene: Scene,
) -> None:
    """What is wrong with the account by now must not keep a position open that is ours."""
    examined = scene.examined("mainnet")
    examined.transport = KilledAt(examined.transport, "/v5/position/trading-stop")
    with pytest.raises(Killed):
        await examined.run()
    scene.world.pass_ms(60_000)
    unbound(scene)
    later = replace(scene.examined("mainnet").preflight(), symbol="ETHUSDT")
    run, _ = await run_preflight(later, lambda _: None, lambda: False)
    assert not got(run, Card.KEY).passed
    assert (await scene.world.exchange.position(SYMBOL)).is_flat


class Late(Transport):
    """*inner*, killed with its first order on the way."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        self.held: tuple[str, str, str, Mapping[str, str], bytes] | None = None

    async def request(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        if path == "/v5/order/create" and self.held is None:
            self.held = (method, path, query, headers, body)
            raise Killed
        return await self.inner.request(method, path, query, headers, body)


async def test_a_killed_order_that_is_still_on_its_way_is_waited_for(scene: Scene) -> None:
    """Asked at once, the venue knows nothing of it; its run is not finished before it can no longer come."""
    late, examined = Late(scene.world.transport), scene.examined()
    examined.transport = late
    with pytest.raises(Killed):
        await examined.run()
    assert late.held is not None
    held, questions = late.held, 0

    class Arriving(Transport):
        async def request(
            self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
        ) -> tuple[int, Mapping[str, str], bytes]:
            nonlocal questions
            questions += path == "/v5/order/history"
            if questions == 3 and path == "/v5/order/history":
                await late.inner.request(*held)
            return await late.inner.request(method, path, query, headers, body)

    examined = scene.examined()
    examined.transport = Arriving()
    await examined.run(trade=False)
    orders = await scene.world.exchange.orders_since(SYMBOL, 0)
    assert any(order.filled_qty for order in orders), "it came"
    assert (await scene.world.exchange.position(SYMBOL)).is_flat


async def test_a_run_that_is_broken_off_leaves_nothing_open(scene: Scene) -> None:
    """Ctrl-C is a cancelled task: unlike a kill it leaves time to close."""

    class BrokenOff(Transport):
        fell = False

        async def request(
            self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
        ) -> tuple[int, Mapping[str, str], bytes]:
            if path == "/v5/position/trading-stop" and not self.fell:
                self.fell = True
                raise asyncio.CancelledError
            return await scene.world.transport.request(method, path, query, headers, body)

    examined = scene.examined()
    examined.transport = BrokenOff()
    with pytest.raises(asyncio.CancelledError):
        await examined.run()
    assert (await scene.world.exchange.position(SYMBOL)).is_flat
    assert examined.preflight().journal.unfinished() == []


async def test_a_twin_that_never_arrived_was_not_refused(scene: Scene) -> None:
    class Unheard(Transport):
        creates = 0

        async def request(
            self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
        ) -> tuple[int, Mapping[str, str], bytes]:
            self.creates += path == "/v5/order/create"
            if path == "/v5/order/create" and self.creates == 2:
                return 502, {}, b""
            return await scene.world.transport.request(method, path, query, headers, body)

    examined = scene.examined()
    examined.transport = Unheard()
    run = await examined.run()
    assert [(row.card, row.got) for row in failed(run)] == [(Card.DUPLICATE, codes.CARD_END_UNKNOWN())]


async def test_runs_of_another_host_prove_nothing(scene: Scene) -> None:
    run = await scene.examined("paper").run()
    assert run.is_flawless
    assert not run.passed(READ_CARDS), "a simulator's word opens no gate"
