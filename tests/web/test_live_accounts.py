"""The account's channel: everybody hears of their own account alone, of what changed, and not oftener than promised."""

import asyncio
import json
from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from app.cockpit import Cockpit
from app.live import SEATS_PER_SESSION, SIGNED_OUT, TOO_SLOW, Seat
from app.live_accounts import HEALTH_S, PRICE_S, STALE_S, AccountHub
from lib.domain.account import Numbers
from lib.domain.errors import Retry
from lib.domain.position import ZERO
from lib.domain.reason import text
from lib.queries import Choices, Health, Holding, Pulse, Readings, Stand
from tests.fakes.people import StandingClock
from tests.web.conftest import HELD, FakeReadings, Web

SYMBOLS = ("BTCUSDT", "ETHUSDT")
CANARY = "canary-of-"
"""Words of one person, which no message to another may hold."""


class Shelf(FakeReadings):
    """Readings that can be changed, counted and taken away."""

    def __init__(self) -> None:
        self.beats: dict[int, int] = {}
        self.read: list[int] = []
        self.price = Decimal(60_000)
        self.qty = Decimal("0.031")
        self.liquidation: Decimal | None = None
        self.beside: tuple[Holding, ...] = ()
        self.away = False
        self.newcomers: set[int] = set()
        self.broken: set[int] = set()
        self.styles: dict[int, Numbers] = {}

    def settings(self, user_id: int) -> Choices:
        return replace(super().settings(user_id), numbers=self.styles.get(user_id, "point"))

    def numbers(self, user_id: int) -> Numbers | None:
        return self.styles.get(user_id)

    def pulses(self, user_ids: Collection[int]) -> dict[int, Pulse]:
        if self.away:
            raise Retry("away")
        return {one: (self.beats.get(one, 0),) for one in user_ids if one not in self.newcomers}

    def standing(self, user_id: int) -> Any:
        self.read.append(user_id)
        if user_id in self.broken:
            raise ValueError("a row that cannot be read")
        if user_id in self.newcomers:
            return None
        found = super().standing(user_id)
        return replace(found, switches=replace(found.switches, why=text(f"{CANARY}{user_id}")))

    def stand(self, user_id: int) -> Stand:
        thesis = text(f"{CANARY}{user_id}")
        held = replace(HELD, position_qty=self.qty, liquidation=self.liquidation, thesis=thesis, log_id=user_id)
        return Stand(held, (), Decimal(10_000), self.beside)

    def health(self, now_ms: int) -> Health:
        return Health("synthetic", True, 12.0, 1.0, 4.0, "", None, "", "", "", None, None)

    def last_price(self, symbol: str) -> Decimal:
        return self.price


class Inside:
    """Who is still signed in."""

    def __init__(self) -> None:
        self.tokens = {"kim", "lee"}

    async def still_in(self, tokens: set[str]) -> set[str]:
        return tokens & self.tokens


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def inside() -> Inside:
    return Inside()


@pytest.fixture
def hub(shelf: Shelf, clock: StandingClock, inside: Inside) -> AccountHub:
    return AccountHub(Cockpit(cast(Readings, shelf), clock, SYMBOLS), clock, inside.still_in)


def heard(seat: Seat) -> list[dict[str, Any]]:
    """What *seat* was offered since it was last asked."""
    found = []
    while not seat._texts.empty():
        found.append(json.loads(cast(str, seat._texts.get_nowait())))
    return found


async def test_everybody_hears_of_their_own_account_and_nothing_of_anothers(hub: AccountHub, shelf: Shelf) -> None:
    with hub.seat(1, "kim") as kim, hub.seat(2, "lee") as lee:
        await hub.look()
        shelf.beats[1] = 1
        await hub.look()
        ours, theirs = json.dumps(heard(kim)), json.dumps(heard(lee))
        assert f"{CANARY}1" in ours
        assert f"{CANARY}2" not in ours
        assert f"{CANARY}2" in theirs
        assert f"{CANARY}1" not in theirs


async def test_everybody_hears_numbers_written_their_own_way_and_nobody_anothers(
    hub: AccountHub, shelf: Shelf, clock: StandingClock
) -> None:
    shelf.styles, shelf.newcomers = {1: "comma", 2: "space", 4: "comma"}, {4}
    wanted = {1: "60.000,0", 2: "60\u202f000,0", 3: "60,000.0", 4: "60.000,0"}
    with hub.seat(1, "kim") as kim, hub.seat(2, "lee") as lee, hub.seat(3, "min") as one, hub.seat(4, "new") as new:
        seats = {1: kim, 2: lee, 3: one, 4: new}
        await hub.look()
        assert {person: heard(seat)[0]["market"]["price"] for person, seat in seats.items()} == wanted
        shelf.styles, shelf.beats[1], shelf.beats[2] = {1: "space", 2: "comma", 4: "comma"}, 1, 1
        clock.forward(seconds=1)
        await hub.look()
        assert heard(kim)[-1]["market"]["price"] == wanted[2], "a choice is followed at the next look"
        assert heard(lee)[-1]["market"]["price"] == wanted[1]
        shelf.price = Decimal(61_000)
        clock.forward(seconds=PRICE_S)
        await hub.look()
        prices = [heard(seat)[-1]["market"]["price"] for seat in seats.values()]
        assert prices == ["61\u202f000,0", "61.000,0", "61,000.0", "61.000,0"], "each, written by one thread"


async def test_all_tabs_of_a_person_hear_the_same_text_written_once(hub: AccountHub) -> None:
    with hub.seat(1, "kim") as one, hub.seat(1, "kim") as other:
        await hub.look()
        assert await one.next() is await other.next()


async def test_who_comes_later_hears_everything_at_once(hub: AccountHub) -> None:
    with hub.seat(1, "kim") as first:
        await hub.look()
        [whole] = heard(first)
        with hub.seat(1, "kim") as later:
            assert heard(later) == [whole]
    assert {"account", "standing", "settings", "position", "market", "tiles", "seen"} <= whole.keys()


async def test_what_did_not_change_is_neither_read_nor_said_again(
    hub: AccountHub, shelf: Shelf, clock: StandingClock
) -> None:
    with hub.seat(1, "kim") as kim:
        await hub.look()
        heard(kim)
        shelf.read.clear()
        for _ in range(4):
            clock.forward(seconds=1)
            await hub.look()
        assert shelf.read == []
        assert heard(kim) == []
        shelf.beats[1] = 1
        await hub.look()
        assert shelf.read == [1]
        assert heard(kim) == [], "read anew, and nothing of it is another"


async def test_a_price_moves_its_parts_alone_and_not_oftener_than_promised(
    hub: AccountHub, shelf: Shelf, clock: StandingClock
) -> None:
    with hub.seat(1, "kim") as kim:
        await hub.look()
        heard(kim)
        said = []
        for _ in range(6):
            shelf.price += 10
            clock.forward(seconds=1)
            await hub.look()
            said += heard(kim)
        assert len(said) <= 6 / PRICE_S + 1 + 6 / HEALTH_S
        assert all(part.keys() <= {"market", "open", "tiles", "truth", "quotes", "opens"} for part in said)
        assert said[-1]["open"]["pnl"] == "+32.86", "(60,060 - 59,000) x 0.031"


async def test_what_no_pulse_tells_is_read_in_a_rhythm(hub: AccountHub, shelf: Shelf, clock: StandingClock) -> None:
    with hub.seat(1, "kim"):
        await hub.look()
        clock.forward(seconds=STALE_S)
        await hub.look()
        assert shelf.read == [1, 1]


async def test_an_act_is_read_at_once_and_told_with_its_number(hub: AccountHub, shelf: Shelf) -> None:
    with hub.seat(1, "kim") as kim, hub.seat(2, "lee") as lee:
        await hub.look()
        heard(kim)
        heard(lee)
        shelf.read.clear()
        number = hub.touched(1)
        await hub.look()
        assert shelf.read == [1]
        assert [one["acts"] for one in heard(kim)] == [number]
        assert heard(lee) == []


async def test_an_act_wakes_the_look_that_sleeps(hub: AccountHub) -> None:
    with hub.seat(1, "kim") as kim:
        keeping = asyncio.create_task(hub.keep())
        assert await kim.next()
        number = hub.touched(1)
        async with asyncio.timeout(5):
            while json.loads(await kim.next() or "{}").get("acts", 0) < number:
                pass
        keeping.cancel()


async def test_while_a_store_is_away_nobody_is_told_and_no_act_is_forgotten(hub: AccountHub, shelf: Shelf) -> None:
    with hub.seat(1, "kim") as kim:
        await hub.look()
        heard(kim)
        number = hub.touched(1)
        shelf.away = True
        with pytest.raises(Retry):
            await hub.look()
        assert heard(kim) == []
        shelf.away = False
        await hub.look()
        assert heard(kim)[0]["acts"] == number


async def test_every_symbol_is_told_and_what_is_open_in_all_of_them_together(hub: AccountHub, shelf: Shelf) -> None:
    shelf.beside = (replace(HELD, symbol="ETHUSDT", position_qty=Decimal(-2), avg_entry_price=Decimal(61_000)),)
    with hub.seat(1, "kim") as kim:
        await hub.look()
        [whole] = heard(kim)
        assert [(one["symbol"], one["side"]) for one in whole["positions"]] == [
            ("BTCUSDT", "long"),
            ("ETHUSDT", "short"),
        ]
        assert whole["position"] == whole["positions"][0]
        assert whole["quotes"].keys() == {"BTCUSDT", "ETHUSDT"}
        assert {name: one["pnl"] for name, one in whole["opens"].items()} == {
            "BTCUSDT": "+31.00",
            "ETHUSDT": "+2,000.00",
        }
        assert whole["total"]["pnl"] == "+2,031.00"
        shelf.beside, shelf.beats[1] = (), 1
        await hub.look()
        [change] = heard(kim)
        assert [one["symbol"] for one in change["positions"]] == ["BTCUSDT"]
        assert change["total"] is None


def test_the_snapshot_is_of_the_symbol_that_is_asked_for(shelf: Shelf, clock: StandingClock) -> None:
    shelf.beside = (replace(HELD, symbol="ETHUSDT", position_qty=Decimal(-2)),)
    cockpit = Cockpit(cast(Readings, shelf), clock, SYMBOLS)
    first, other = (json.loads(cockpit.whole(1, symbol)) for symbol in ("", "ETHUSDT"))
    assert (first["market"]["symbol"], first["position"]["side"]) == ("BTCUSDT", "long")
    assert (other["market"]["symbol"], other["position"]["side"]) == ("ETHUSDT", "short")
    assert other["open"] == other["opens"]["ETHUSDT"]
    assert json.loads(cockpit.whole(1, "SOLUSDT"))["position"] is None


async def test_one_symbol_alone_is_told_once(shelf: Shelf, clock: StandingClock, inside: Inside) -> None:
    hub = AccountHub(Cockpit(cast(Readings, shelf), clock, ("BTCUSDT",)), clock, inside.still_in)
    with hub.seat(1, "kim") as kim:
        await hub.look()
        [whole] = heard(kim)
        assert [whole[name] for name in ("quotes", "positions", "opens", "total")] == [None] * 4
        shelf.price += 10
        clock.forward(seconds=PRICE_S)
        await hub.look()
        assert heard(kim)[-1].keys() <= {"market", "open", "tiles", "truth"}


async def test_a_closed_position_is_told_as_none(hub: AccountHub, shelf: Shelf) -> None:
    with hub.seat(1, "kim") as kim:
        await hub.look()
        assert heard(kim)[0]["position"]["side"] == "long"
        shelf.qty, shelf.beats[1] = ZERO, 1
        await hub.look()
        [change] = heard(kim)
        assert (change["position"], change["open"]) == (None, None)


async def test_the_exchanges_liquidation_price_is_told_when_it_comes(hub: AccountHub, shelf: Shelf) -> None:
    with hub.seat(1, "kim") as kim:
        await hub.look()
        [whole] = heard(kim)
        assert whole["position"]["liquidation"] == "–"
        shelf.liquidation, shelf.beats[1] = Decimal(54_000), 1
        await hub.look()
        [change] = heard(kim)
        assert (change["position"]["liquidation"], change["position"]["estimated"]) == ("54,000.0", False)
        assert change["open"]["to_liquidation"] == "-10.00%"
        assert change["seen"]["chart"] != whole["seen"]["chart"]


async def test_who_has_no_account_hears_of_the_market_and_of_the_account_when_it_comes(
    hub: AccountHub, shelf: Shelf
) -> None:
    shelf.newcomers = {3}
    with hub.seat(3, "kim") as kim:
        await hub.look()
        [whole] = heard(kim)
        assert whole["account"] is False
        assert whole["market"]["price"] == "60,000.0"
        assert not whole.keys() & {"standing", "position", "tiles", "settings"}
        shelf.newcomers = set()
        await hub.look()
        [change] = heard(kim)
        assert (change["account"], change["seen"]["account"]) == (True, "1")


async def test_a_session_that_ended_loses_its_seats_and_only_its(hub: AccountHub, inside: Inside) -> None:
    with hub.seat(1, "kim") as kim, hub.seat(2, "lee") as lee:
        inside.tokens.discard("kim")
        await hub.recheck()
        assert [kim.code, lee.code] == [SIGNED_OUT, None]


async def test_one_session_takes_no_more_seats_than_it_may(hub: AccountHub) -> None:
    seats = [hub.seat(1, "kim") for _ in range(SEATS_PER_SESSION + 1)]
    taken = [seat.__enter__() for seat in seats]
    assert [seat.code for seat in taken] == [None] * SEATS_PER_SESSION + [TOO_SLOW]


async def test_nobody_is_read_for_when_nobody_watches(hub: AccountHub, shelf: Shelf) -> None:
    with hub.seat(1, "kim"):
        await hub.look()
    hub.touched(1)
    await hub.look()
    assert shelf.read == [1]


async def test_the_trouble_of_one_account_is_its_own(hub: AccountHub, shelf: Shelf) -> None:
    with hub.seat(1, "kim") as kim, hub.seat(2, "lee") as lee:
        await hub.look()
        heard(kim)
        heard(lee)
        shelf.broken = {1}
        numbers = hub.touched(1), hub.touched(2)
        await hub.look()
        assert [one["acts"] for one in heard(lee)] == [numbers[1]]
        assert [one["acts"] for one in heard(kim)] == [numbers[1]], "an answer all the same: what was known stands"


# --- the routes -------------------------------------------------------------------------------------------------------


def first(client: TestClient) -> dict[str, Any]:
    with client.websocket_connect("/api/ws/account") as socket:
        return cast("dict[str, Any]", socket.receive_json())


def test_the_channel_and_the_snapshot_are_the_signed_in_persons(web: Web) -> None:
    kim, lee = web.owner(), web.owner("lee@example.com")
    for client in (kim, lee):
        me = client.get("/api/auth/me").json()["user"]["user_id"]
        for told in (first(client), client.get("/api/account").json()):
            assert told["position"]["thesis"] == {"ko": f"of {me}", "en": f"of {me}"}
            assert told["position"]["log_id"] == me
            assert f"of {me}" in told["standing"]["why"]["en"]


def test_no_one_names_whose_account_it_is(web: Web) -> None:
    kim, lee = web.owner(), web.owner("lee@example.com")
    other = lee.get("/api/auth/me").json()["user"]["user_id"]
    for query in (f"user_id={other}", f"account={other}", f"id={other}"):
        assert f"of {other}" not in kim.get(f"/api/account?{query}").text
        with kim.websocket_connect(f"/api/ws/account?{query}") as socket:
            assert f"of {other}" not in socket.receive_text()


def test_a_stranger_is_closed_with_a_code_the_page_can_read_and_gets_nothing(web: Web) -> None:
    client = web.client()
    with client.websocket_connect("/api/ws/account") as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_text()
    assert closed.value.code == SIGNED_OUT
    assert client.get("/api/account").status_code == 401


def test_a_visitor_may_look_and_their_act_is_none(web: Web) -> None:
    visitor = web.visitor()
    assert first(visitor)["account"] is True
    assert visitor.post("/api/pause", json={}).status_code == 403
    assert web.trading.acts == []


def test_an_act_is_confirmed_on_the_channel_under_its_number(web: Web) -> None:
    kim = web.owner()
    with kim.websocket_connect("/api/ws/account") as socket:
        socket.receive_json()
        for path, body in (("/api/pause", {}), ("/api/auto-trade", {"on": True}), ("/api/flatten", {})):
            number = int(kim.post(path, json=body).headers["x-maemae-act"])
            while socket.receive_json().get("acts", 0) < number:
                pass
    assert "x-maemae-act" not in kim.get("/api/settings").headers


def test_an_unknown_symbol_is_not_found_and_a_known_one_is_answered(web: Web) -> None:
    kim = web.owner()
    assert kim.get("/api/account?symbol=BTCUSDT").json()["position"]["symbol"] == "BTCUSDT"
    for path in ("/api/account", "/api/logs", "/api/kline"):
        answer = kim.get(f"{path}?symbol=NOPEUSDT")
        assert (answer.status_code, answer.json()["params"]) == (404, {"field": "symbol"})
