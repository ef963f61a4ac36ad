"""
Keeps programs running: each for itself, started again when it ends, all ended in their order when told to.

One's death touches no other. Every end has a line that says what ended, how, and when it starts again; a crash loop is
an alert, and so is said once. It decides by `lib.domain.restarts` and knows no program: who they are, and what each is
told, is handed in.
"""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib import log
from lib.domain.restarts import RestartRule, after, why_ended
from lib.supervision.child import Running

_log = log.get("supervisor")


@dataclass(slots=True)
class Post:
    """One program to keep: *start* starts it (OSError when it cannot be), *end_s* is how long its end may take."""

    name: str
    start: Callable[[], Awaitable[Running]]
    end_s: float = 10.0
    pid: int = 0
    """0 = it does not run."""
    restarts: int = 0
    early_ends: int = 0
    ending: asyncio.Event = field(default_factory=asyncio.Event)

    def is_looping(self, rule: RestartRule) -> bool:
        return self.early_ends >= rule.looping_after


class Supervisor:
    """*posts* in the order they start; they end in that of *ending*, whoever is not named there last."""

    def __init__(
        self,
        posts: Sequence[Post],
        ending: Iterable[str],
        rule: RestartRule | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        order = list(ending)
        self.posts = tuple(posts)
        self.rule = rule or RestartRule()
        self._ending = sorted(posts, key=lambda post: order.index(post.name) if post.name in order else len(order))
        self._changed = changed
        self._hurry = asyncio.Event()

    def hurry(self) -> None:
        """Whoever has not ended by now is killed."""
        self._hurry.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Keep everybody until *stop*, then end them one after the other."""
        kept = {post.name: asyncio.create_task(self._keep(post)) for post in self.posts}
        await stop.wait()
        for post in self._ending:
            post.ending.set()
            await kept[post.name]

    async def _keep(self, post: Post) -> None:
        while not post.ending.is_set():
            began = time.monotonic()
            status = await self._live(post)
            self._stands(post, 0)
            if post.ending.is_set():
                _log.info("process.stopped", process=post.name, how=why_ended(status))
                return
            wait_s = self._ended(post, status, time.monotonic() - began)
            if await _told(post.ending, wait_s):
                _log.info("process.stopped", process=post.name, how="it was waiting to be started again")
                return
            post.restarts += 1

    async def _live(self, post: Post) -> int:
        """Start it and wait for its end, or for the word to end it; the exit status."""
        try:
            running = await self._started(post)
        except Exception as trouble:  # noqa: BLE001 - whatever keeps one from starting, the others are kept
            _log.warning("process.not_started", process=post.name, why=str(trouble) or type(trouble).__name__)
            return 1
        _log.info("process.started", process=post.name, pid=running.pid)
        self._stands(post, running.pid)
        ended = asyncio.ensure_future(running.ended())
        if not await _told(post.ending, self.rule.healthy_s, ended):
            if post.is_looping(self.rule):
                _log.info("process.steady", process=post.name)
            post.early_ends = 0
            self._changed()
            await _told(post.ending, None, ended)
        if not ended.done():
            await self._end(running, ended, post.end_s)
        return ended.result()

    async def _started(self, post: Post) -> Running:
        """*post* at work; OSError and whatever else its start says, TimeoutError when nobody may wait for it."""
        starting = asyncio.ensure_future(post.start())
        await _told(self._hurry, None, starting)
        if not starting.done():
            starting.cancel()
            raise TimeoutError("it was still starting when everybody was told to end at once")
        return starting.result()

    async def _end(self, running: Running, ended: "asyncio.Future[int]", within_s: float) -> None:
        running.send(signal.SIGTERM)
        await _told(self._hurry, within_s, ended)
        if not ended.done():
            running.send(signal.SIGKILL)
            await asyncio.wait((ended,))

    def _ended(self, post: Post, status: int, lived_s: float) -> float:
        """Say how it ended; the seconds until it starts again."""
        restart = after(self.rule, post.early_ends, lived_s, status)
        post.early_ends = restart.early_ends
        told = {"lived_s": round(lived_s, 1), "again_in_s": restart.in_s}
        _log.warning("process.ended", process=post.name, how=why_ended(status), **told)
        if restart.loop_begins:
            _log.alert("process.loops", process=post.name, ends_in_a_row=restart.early_ends, how=why_ended(status))
        self._changed()
        return restart.in_s

    def _stands(self, post: Post, pid: int) -> None:
        post.pid = pid
        self._changed()


async def _told(event: asyncio.Event, within_s: float | None, *others: "asyncio.Future[Any]") -> bool:
    """Wait for *event* or one of *others*; False when none of them came *within_s*."""
    telling = asyncio.ensure_future(event.wait())
    waited: tuple[asyncio.Future[Any], ...] = (telling, *others)
    done, _ = await asyncio.wait(waited, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    telling.cancel()
    return bool(done)
