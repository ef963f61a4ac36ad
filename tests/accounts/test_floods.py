"""
Every door of the web behind which an exchange can be called, flooded: the address is never used up, and somebody
else's "close everything" finds its calls free.

A real Redis shares the budget; what would be waited for is counted, nobody sleeps. What the trader then does of what
was asked is `tests/trading/test_crowds.py`.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
import redis

from lib.accounts.refusal import Refusal
from lib.accounts.trading import TradingDesk
from lib.accounts.web import SessionUser
from lib.adapters.bybit.limits.limiter import family_of
from lib.adapters.bybit.limits.turnstile import Answer, Ask
from lib.adapters.bybit.rest.account_probe import BybitAccountProbe
from lib.adapters.bybit.rest.key_probe import PybitKeyProbe
from lib.adapters.bybit.rest.paper_accounts import SimulatorPaperAccounts
from lib.adapters.redis.check_lane import CHECKS_A_SECOND, CheckLane
from lib.adapters.redis.connection import connect, connect_async
from lib.adapters.redis.limiter import RedisBudget, budget_key
from lib.adapters.sql.tables.people import accounts, commands
from lib.clock import SystemClock
from lib.domain.account import AccountSettings
from lib.simulator.venue.call import Request, Response
from lib.simulator.venue.venue import Venue
from tests.accounts.conftest import HERE, Scene

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

INVENTED = 589
CLOCK, KEY = "/v5/market/time", "/v5/user/query-api"
PATHS = ("/v5/position/list", "/v5/order/create", "/v5/order/realtime")
CLOSING = [Ask("paper:9", path, "guard") for path in PATHS * 2]
"""The calls of somebody else's close."""


@dataclass
class Flood:
    """The desk behind the real lane, what reached the venue, and the Redis that counts."""

    scene: Scene
    desk: TradingDesk
    client: redis.Redis
    redis_url: str
    lane: CheckLane
    reached: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    @property
    def family(self) -> str:
        return family_of(self.scene.world.base_url)

    def spent(self) -> int:
        """Calls that left from the address, of the 462 there are in 5 s."""
        return int(self.client.llen(budget_key(self.family, "calls")))

    def second(self) -> int:
        return int(self.client.time()[0])

    async def closes_at_once(self) -> bool:
        """Whether a close finds all its calls free."""
        # an address nobody called for ten seconds begins slowly: not what is asked here
        self.client.set(budget_key(self.family, "pace"), 0, nx=True)
        shared = connect_async(self.redis_url)
        try:
            answers = await RedisBudget(shared, SystemClock(), self.family).take(CLOSING)
        finally:
            await shared.aclose()
        return answers == [Answer()] * len(CLOSING)

    def save(self, user: SessionUser, number: int = 0) -> object:
        return self.desk.save_key(user, "paper", f"invented-{number:08}", "s" * 36)


@pytest.fixture
def flooded_redis(redis_url: str) -> Iterator[redis.Redis]:
    client = connect(redis_url)
    client.flushdb()
    yield client
    client.close()


@pytest.fixture
def flood(scene: Scene, redis_url: str, flooded_redis: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Flood:
    urls = {"paper": scene.world.base_url}
    waits: list[float] = []
    lane = CheckLane(flooded_redis, pause=waits.append)
    ports = replace(
        scene.ports,
        paper=SimulatorPaperAccounts(scene.world.base_url, "", ban=lane),
        key_probe=PybitKeyProbe(urls, ban=lane),  # type: ignore[arg-type]
        account_probe=BybitAccountProbe(urls, scene.world.clock, lane),  # type: ignore[arg-type]
    )
    made = Flood(scene, TradingDesk(ports, HERE), flooded_redis, redis_url, lane, waits=waits)
    flooded_redis.set(budget_key(made.family, "pace"), 0)
    handle = Venue.handle

    def counted(venue: Venue, request: Request) -> Response:
        made.reached.append(request.path)
        return handle(venue, request)

    monkeypatch.setattr(Venue, "handle", counted)
    return made


async def drawn_out(flood: Flood, acts: Callable[[], None]) -> int:
    """How many calls of *acts* may have left at most by the second they took."""
    began = flood.second()
    await asyncio.to_thread(acts)
    return CHECKS_A_SECOND * (flood.second() - began + 2)


async def test_one_guest_with_invented_keys(flood: Flood) -> None:
    def acts() -> None:
        for number in range(INVENTED):
            assert isinstance(flood.save(flood.scene.user, number), Refusal)

    await drawn_out(flood, acts)
    assert flood.reached == [CLOCK, KEY, KEY, KEY], "the venue's clock, three tries, and then a wait"
    assert flood.spent() == len(flood.reached), "every call was counted"
    assert await flood.closes_at_once()


async def test_many_people_at_one_address_with_invented_keys(flood: Flood) -> None:
    people = [flood.scene.another(f"p{number}", "203.0.113.7") for number in range(60)]

    def acts() -> None:
        for number, person in enumerate(people * 3):
            flood.save(person, number)

    await drawn_out(flood, acts)
    assert flood.reached == [CLOCK, KEY, KEY, KEY]
    assert await flood.closes_at_once()


async def test_many_people_at_many_addresses_with_invented_keys(flood: Flood) -> None:
    people = [flood.scene.another(f"p{number}", f"10.0.0.{number}") for number in range(60)]
    answers: set[str] = set()

    def acts() -> None:
        for number, person in enumerate(people * 3):
            refusal = flood.save(person, number)
            assert isinstance(refusal, Refusal)
            answers.add(refusal.key)

    most = await drawn_out(flood, acts)
    assert len(flood.reached) == flood.spent() <= most
    assert answers == {"refuse.key.refused", "refuse.busy"}, "no room is said, and is not the exchange's fault"
    assert await flood.closes_at_once()


async def test_a_good_key_saved_again_and_again_and_every_call_of_a_check_is_counted(flood: Flood) -> None:
    key = flood.scene.world.key
    began = flood.second()
    for _ in range(40):
        await asyncio.to_thread(flood.desk.save_key, flood.scene.user, "paper", key.api_key, key.api_secret)
    assert len(flood.reached) == flood.spent() <= CHECKS_A_SECOND * (flood.second() - began + 2)
    assert await flood.closes_at_once()


async def test_paper_accounts_opened_and_thrown_away_and_by_newcomers(flood: Flood) -> None:
    people = [flood.scene.another(f"p{number}") for number in range(60)]

    def acts() -> None:
        for _ in range(60):
            flood.desk.open_paper(flood.scene.user)
            flood.desk.delete_key(flood.scene.user)
        for person in people:
            flood.desk.open_paper(person)

    most = await drawn_out(flood, acts)
    assert len(flood.reached) == flood.spent() <= most
    assert await flood.closes_at_once()


async def test_switches_settings_and_wishes_call_nobody(flood: Flood) -> None:
    user, desk = flood.scene.user, flood.desk
    await asyncio.to_thread(desk.open_paper, user)
    before = list(flood.reached)

    def close(user: SessionUser) -> object:
        return desk.close_position(user, "long")

    def acts() -> None:
        for number in range(60):
            for act in (desk.ask_now, desk.recheck_key, desk.flatten, close, desk.resume, desk.pause, desk.resume):
                act(user)
            desk.set_auto_trade(user, number % 2 == 0)
            desk.change_settings(user, AccountSettings(max_leverage=1 + number % 3), 1)
            desk.end_lock(user, "daily_loss")

    await drawn_out(flood, acts)
    assert flood.reached == before
    asked = [row["kind"] for row in flood.scene.rows(commands)]
    assert sorted(asked) == ["ask_now", "close", "flatten", "recheck_key"], "and the trader is asked each thing once"
    assert await flood.closes_at_once()


async def test_off_always_works_and_on_again_and_again_waits(flood: Flood) -> None:
    user, desk = flood.scene.user, flood.desk
    await asyncio.to_thread(desk.open_paper, user)
    answers = []
    for _ in range(20):
        assert desk.flatten(user) in (None, Refusal("refuse.wait.flatten", seconds=5))
        assert desk.pause(user) is None
        answers += [desk.resume(user), desk.set_auto_trade(user, True)]
        assert desk.set_auto_trade(user, False) is None
    assert answers.count(None) == 5, "each is proved off at the exchange once more"
    [row] = flood.scene.rows(accounts)
    assert not row["trading_enabled"]
    assert row["flatten"]


async def test_with_redis_away_nothing_is_asked_and_the_reason_is_said(flood: Flood) -> None:
    away = CheckLane(connect("redis://127.0.0.1:1/0"))
    urls = {"paper": flood.scene.world.base_url}
    ports = replace(
        flood.scene.ports,
        paper=SimulatorPaperAccounts(flood.scene.world.base_url, "", ban=away),
        key_probe=PybitKeyProbe(urls, ban=away),  # type: ignore[arg-type]
    )
    flood.desk = TradingDesk(ports, HERE)
    for number in range(5):
        assert await asyncio.to_thread(flood.save, flood.scene.user, number) == Refusal("refuse.budget")
    assert await asyncio.to_thread(flood.desk.open_paper, flood.scene.user) == Refusal("refuse.budget")
    assert flood.reached == []
