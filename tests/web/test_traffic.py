"""How much one visitor may ask, and that nobody else's asking is in the way."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from app.http import traffic
from app.http.refusals import refusal_body
from app.http.traffic import ACTS, READS, STOPS, STRANGERS, Traffic
from app.visit import Visit
from lib.accounts.web import Origin, SessionUser
from tests.web.conftest import Web

KIM = Visit(Origin("10.0.0.1"), False, "kims-token", SessionUser(7, "kim@example.com", "ko"))
LEE = Visit(Origin("10.0.0.1"), False, "lees-token", SessionUser(8, "lee@example.com", "ko"))
STRANGER = Visit(Origin("10.0.0.1"), False, None)


class Standing:
    """Seconds that stand until moved."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def made() -> tuple[Traffic, Standing]:
    clock = Standing()
    return Traffic(clock, clock.sleep), clock


Made = tuple[Traffic, Standing]


def used_up(made: Made, method: str, path: str, visit: Visit, times: int) -> None:
    assert [made[0].wait_s(method, path, visit) for _ in range(times)] == [0] * times
    assert made[0].wait_s(method, path, visit) > 0


def test_reads_are_paced_by_session_and_come_back(made: Made) -> None:
    used_up(made, "GET", "/api/kline", KIM, READS.burst)
    assert made[0].wait_s("GET", "/api/kline", LEE) == 0, "another session, from the same address"
    made[1].now += 1
    used_up(made, "GET", "/api/standing", KIM, int(READS.per_s))


def test_no_other_asking_uses_up_pausing_and_closing(made: Made) -> None:
    used_up(made, "GET", "/api/kline", KIM, READS.burst)
    used_up(made, "POST", "/api/settings", KIM, ACTS.burst)
    for path in traffic.STOPPING:
        assert made[0].wait_s("POST", path, KIM) == 0
    used_up(made, "POST", "/api/flatten", KIM, STOPS.burst - len(traffic.STOPPING))


def test_a_strangers_tries_are_paced_by_address_and_in_nobodys_way_who_is_inside(made: Made) -> None:
    used_up(made, "POST", "/api/auth/login", STRANGER, STRANGERS.burst)
    assert made[0].wait_s("POST", "/api/pause", KIM) == 0
    assert made[0].wait_s("GET", "/", STRANGER) == 0, "the front door stays open"


def test_tokens_nobody_knows_are_not_looked_up_for_ever_and_known_ones_are(made: Made) -> None:
    door, _ = made
    door.recognised(KIM)
    tries = [Visit(Origin("10.0.0.1"), False, f"invented-{n}") for n in range(STRANGERS.burst + 1)]
    assert [door.may_look_up(one) for one in tries] == [True] * STRANGERS.burst + [False]
    assert door.may_look_up(KIM)


def test_sockets_are_counted_and_given_back(made: Made) -> None:
    door, _ = made
    for _ in range(3):
        with door.socket(KIM) as has_place:
            assert has_place
    assert dict(door._open) == {}


def test_one_socket_too_many_has_no_place_and_another_person_has(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "PERSONS_OPEN", 1)
    door, _ = made
    with door.socket(KIM) as first, door.socket(KIM) as second, door.socket(LEE) as lees:
        assert (first, second, lees) == (True, False, True)


async def test_strangers_pages_wait_their_turn_and_too_many_are_refused(made: Made) -> None:
    door, clock = made
    pace, patience = traffic.STRANGERS_SOCKETS, traffic.PATIENCE_S
    waiting = int(patience * pace.per_s)
    assert [await door.has_turn(STRANGER) for _ in range(pace.burst + waiting)] == [True] * (pace.burst + waiting)
    assert clock.slept == pytest.approx([n / pace.per_s for n in range(1, waiting + 1)])
    assert not await door.has_turn(STRANGER)
    assert await door.has_turn(KIM), "who is inside never waits for strangers"
    assert await door.has_turn(Visit(Origin("10.9.9.9"), False, None)), "nor do strangers elsewhere"
    clock.now += 1
    assert await door.has_turn(STRANGER)


async def test_who_says_much_is_slowed_down_and_never_loses_a_word(made: Made) -> None:
    door, clock = made
    said: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
    many = traffic.PERSONS_MESSAGES.burst + 20
    for number in range(many):
        said.put_nowait({"type": "websocket.receive", "text": str(number)})
    heard = door.paced(said.get, KIM)
    assert [(await heard())["text"] for _ in range(many)] == [str(number) for number in range(many)]
    assert clock.slept == pytest.approx([n / traffic.PERSONS_MESSAGES.per_s for n in range(1, 21)])


async def test_a_goodbye_is_never_slowed_down(made: Made) -> None:
    door, clock = made

    async def goodbye() -> MutableMapping[str, Any]:
        return {"type": "websocket.disconnect"}

    heard = door.paced(goodbye, STRANGER)
    for _ in range(500):
        await heard()
    assert clock.slept == []


# --- over the whole application ---------------------------------------------------------------------------------------


def answers(client: TestClient, method: str, path: str, times: int) -> list[int]:
    return [client.request(method, path, json={} if method == "POST" else None).status_code for _ in range(times)]


def test_who_reads_without_end_is_told_to_wait_and_still_pauses(web: Web) -> None:
    kim, lee = web.owner(), web.owner("lee@example.com")
    refused = None
    for _ in range(READS.burst * 3):
        answer = kim.get("/api/standing")
        if answer.status_code == 429:
            refused = answer
            break
    assert refused is not None
    assert refused.json() == refusal_body("refuse.wait", {"seconds": 1}, "ko")
    assert refused.headers["retry-after"] == "1"
    assert answers(kim, "POST", "/api/pause", 1) == answers(kim, "POST", "/api/flatten", 1) == [200]
    assert answers(lee, "GET", "/api/standing", 1) == [200]


def test_invented_sessions_are_answered_without_the_database_after_a_while(web: Web) -> None:
    client = web.client()
    client.cookies.set("maemae", "invented")
    assert set(answers(client, "GET", "/api/standing", STRANGERS.burst * 3)) == {401, 429}


def test_a_strangers_page_socket_too_many_is_refused(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "STRANGERS_OPEN", 0)
    with pytest.raises(WebSocketDisconnect), web.client().websocket_connect("/_stcore/stream"):
        pass
    with pytest.raises(WebSocketDisconnect), web.client().websocket_connect("/api/ws"):
        pass
    with web.owner().websocket_connect("/api/ws?symbol=BTCUSDT&interval=1m") as socket:
        assert socket.receive_json()["rows"]
