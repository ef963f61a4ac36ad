"""
Calls to workers, through Dramatiq on the Redis that is there: a queue for each process, a message that holds T alone.

Dramatiq delivers at least once and promises no time. Nothing rests on either: a call that is late, doubled or lost
begins nothing wrong (`Trader.called`), and an entry is made once by its claim. So nothing is retried here, neither by
the broker nor by a dead process's heirs: nobody else listens to its queue, which Redis forgets by itself.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import Retries

from lib.adapters.redis.connection import translated
from lib.ports.workers import WorkerCalls

ACTOR = "begin_cycle"
NAMESPACE = "calls"
HEARTBEAT_MS = 5_000
KEPT_MS = 60_000
"""How long a call nobody took, or that failed, is kept: a T is not begun any more by then."""
POLL_MS = 250
"""The longest between two looks for a call."""
END_MS = 3_000


class DramatiqCalls(WorkerCalls):
    """`lib.ports.workers.WorkerCalls` on the Redis of *client*."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._broker = _broker(client)

    async def call(self, holders: Collection[str], t_ms: int) -> None:
        """As `WorkerCalls.call`."""
        await asyncio.to_thread(self._call, holders, t_ms)

    def _call(self, holders: Collection[str], t_ms: int) -> None:
        with translated():
            for holder in holders:
                queue = _queue(holder)
                self._broker.enqueue(_message(queue, t_ms))
                for key in (f"{NAMESPACE}:{queue}", f"{NAMESPACE}:{queue}.msgs"):
                    self._client.pexpire(key, KEPT_MS)


@asynccontextmanager
async def listening(client: redis.Redis, holder: str, called: Callable[[int], None]) -> AsyncIterator[None]:
    """*called* runs on this loop, with T, at each call to *holder* inside the block."""
    loop, broker = asyncio.get_running_loop(), _broker(client)

    def heard(t_ms: object) -> None:
        if type(t_ms) is int:  # whatever else stands in Redis is no T
            loop.call_soon_threadsafe(called, t_ms)

    dramatiq.actor(actor_name=ACTOR, queue_name=_queue(holder), broker=broker, max_retries=0)(heard)
    worker = dramatiq.Worker(broker, queues={_queue(holder)}, worker_timeout=POLL_MS, worker_threads=1)
    worker.start()
    try:
        yield
    finally:
        await asyncio.to_thread(worker.stop, END_MS)


def _broker(client: redis.Redis) -> RedisBroker:
    """A broker that tries nothing again: its usual middleware does, twenty times."""
    return RedisBroker(  # type: ignore[no-untyped-call]
        client=client,
        namespace=NAMESPACE,
        middleware=[Retries(max_retries=0)],
        heartbeat_timeout=HEARTBEAT_MS,
        dead_message_ttl=KEPT_MS,
    )


def _message(queue: str, t_ms: int) -> "dramatiq.Message[None]":
    return dramatiq.Message(queue_name=queue, actor_name=ACTOR, args=(t_ms,), kwargs={}, options={})


def _queue(holder: str) -> str:
    """The queue of the process *holder*; Dramatiq takes letters, digits, and - _ . after the first letter."""
    return f"to-{holder}"
