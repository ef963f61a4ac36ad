"""Calls through Dramatiq on a real redis-server: to who is named, T alone, never again, and Redis forgets them."""

import asyncio
import json
from collections.abc import Callable, Iterator

import pytest
import redis

from lib.adapters.dramatiq.calls import KEPT_MS, NAMESPACE, DramatiqCalls, listening
from lib.adapters.redis.connection import connect
from lib.domain.errors import Retry
from tests.factories import T

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """An empty Redis."""
    client = connect(redis_url)
    client.flushdb()
    yield client
    client.close()


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - Dramatiq's threads tell nobody
            await asyncio.sleep(0.01)


async def test_who_is_called_hears_t_on_its_own_loop_and_nobody_else_does(client: redis.Redis) -> None:
    heard: list[tuple[str, int]] = []
    loop = asyncio.get_running_loop()

    def hearing(name: str) -> Callable[[int], None]:
        def called(t_ms: int) -> None:
            assert asyncio.get_running_loop() is loop
            heard.append((name, t_ms))

        return called

    calls = DramatiqCalls(client)
    async with listening(client, "host.example-1", hearing("one")), listening(client, "host.example-2", hearing("two")):
        await calls.call(["host.example-2", "nobody"], T)
        await until(lambda: heard)
        await calls.call(["host.example-1"], T + 1)
        await until(lambda: len(heard) > 1)
    assert heard == [("two", T), ("one", T + 1)]


async def test_a_call_holds_t_and_no_more_and_what_nobody_takes_is_forgotten(client: redis.Redis) -> None:
    await DramatiqCalls(client).call(["dead"], T)
    [message] = client.hgetall(f"{NAMESPACE}:to-dead.msgs").values()
    said = json.loads(message)
    assert (said["args"], said["kwargs"]) == ([T], {})
    assert set(said["options"]) == {"redis_message_id"}
    left = [client.pttl(key) for key in client.keys(f"{NAMESPACE}:to-dead*")]
    assert len(left) == 2
    assert all(0 < ms <= KEPT_MS for ms in left)


async def test_what_fails_when_called_is_not_called_again(client: redis.Redis) -> None:
    heard: list[object] = []

    class Loop(asyncio.AbstractEventLoop):
        def call_soon_threadsafe(self, *given: object, **_: object) -> asyncio.Handle:
            heard.append(given[1])
            raise RuntimeError("Event loop is closed")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lib.adapters.dramatiq.calls.asyncio.get_running_loop", Loop)
        away = listening(client, "one", print)
        entered = away.__aenter__()
        with pytest.raises(StopIteration):
            entered.send(None)
    await DramatiqCalls(client).call(["one"], T)
    await until(lambda: client.zcard(f"{NAMESPACE}:to-one.XQ"))
    assert client.hlen(f"{NAMESPACE}:to-one.msgs") == client.llen(f"{NAMESPACE}:to-one") == 0
    assert client.keys(f"{NAMESPACE}:to-one.DQ*") == []  # where Dramatiq puts what it tries again later
    await away.__aexit__(None, None, None)
    assert heard == [T]


async def test_what_is_no_t_begins_nothing(client: redis.Redis) -> None:
    heard: list[object] = []
    calls = DramatiqCalls(client)
    async with listening(client, "one", heard.append):
        for strange in ("5", None, True, [T]):
            await calls.call(["one"], strange)  # type: ignore[arg-type]
        await calls.call(["one"], T)
        await until(lambda: heard)
    assert heard == [T]


async def test_without_redis_nobody_can_be_called() -> None:
    with pytest.raises(Retry):
        await DramatiqCalls(connect("redis://127.0.0.1:1/0")).call(["one"], T)
