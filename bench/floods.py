"""
Every door of the web flooded, on real processes: what it costs the exchange's address, and how long somebody else's
"close everything" takes meanwhile.

Simulator, collector, trader, web and Redis as `make run` starts them. One person's close is timed from the click until
it is proved, first alone, then beside each flood. Beside it: the most calls that left the address in any five seconds
(462 may), and whether the exchange ever closed it. Start: `python -m bench.floods [--people 40] [--only keys]`.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import redis

from lib.adapters.bybit.limits.limiter import IP_WINDOW_MS, family_of
from lib.adapters.redis.connection import connect
from lib.adapters.redis.limiter import SHARED, budget_key
from tests.browser.deployment import Deployment, deployment

PASSWORD = "correct horse battery staple"  # noqa: S105 - nobody's
BUSY = 8
"""Requests under way at once, of one flood."""
INVENTED_SECRET = "s" * 36


class Person:
    """Somebody with a cookie jar and an address of their own."""

    def __init__(self, session: aiohttp.ClientSession, url: str, address: str) -> None:
        self._session, self._url, self._address = session, url, address

    async def post(self, path: str, body: dict[str, Any] | None = None) -> int:
        """The answer's status; 0 = none came."""
        headers = {"X-Forwarded-For": self._address, "Origin": self._url}
        try:
            async with self._session.post(f"{self._url}{path}", json=body or {}, headers=headers) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    async def standing(self) -> str:
        """Whether the account trades, is stopping, or is proved stopped."""
        headers = {"X-Forwarded-For": self._address}
        async with self._session.get(f"{self._url}/api/standing", headers=headers) as answer:
            return str((await answer.json()).get("state", ""))

    async def register(self, number: int) -> int:
        body = {"email": f"p{number}@example.com", "password": PASSWORD, "accepted_risk": True}
        return await self.post("/api/auth/register", body)


Act = Callable[[Person, int], Awaitable[int]]


async def invented_key(person: Person, number: int) -> int:
    """A key nobody has."""
    body = {"venue": "paper", "api_key": f"invented-{number:08}", "api_secret": INVENTED_SECRET}
    return await person.post("/api/apikey", body)


async def newcomer(person: Person, number: int) -> int:
    """One more guest, from one more address."""
    guest = Person(person._session, person._url, f"198.51.{number // 250 % 250}.{number % 250}")
    return await guest.post("/api/auth/try", {"accepted_risk": True})


async def ask_now(person: Person, _: int) -> int:
    """A cycle of one's own."""
    return await person.post("/api/ask-now")


async def close_and_resume(person: Person, number: int) -> int:
    """Everything closed, and on again."""
    return await person.post("/api/flatten" if number % 2 else "/api/resume")


async def settings(person: Person, number: int) -> int:
    """Another leverage."""
    return await person.post("/api/settings", {"max_leverage": 1 + number % 3})


async def switch(person: Person, number: int) -> int:
    """Auto-trading on and off."""
    return await person.post("/api/auto-trade", {"on": number % 2 == 0})


FLOODS: Sequence[tuple[str, Act, bool]] = (
    ("invented keys, one person", invented_key, True),
    ("invented keys, many people", invented_key, False),
    ("guests from everywhere", newcomer, True),
    ("ask now", ask_now, False),
    ("close and resume", close_and_resume, False),
    ("settings", settings, False),
    ("switch", switch, False),
)


async def flooded(people: Sequence[Person], act: Act, stop: asyncio.Event) -> dict[int, int]:
    """Do *act* all the time until *stop*; how often each status came."""
    answers: dict[int, int] = {}
    number = 0

    async def one() -> None:
        nonlocal number
        while not stop.is_set():
            number += 1
            status = await act(people[number % len(people)], number)
            answers[status] = answers.get(status, 0) + 1

    await asyncio.gather(*(one() for _ in range(BUSY)))
    return answers


async def until(ask: Callable[[], Awaitable[object]], *answers: object) -> None:
    """Ask again until one of *answers* comes."""
    while await ask() not in answers:  # noqa: ASYNC110 - another process cannot set our event
        await asyncio.sleep(0.1)


async def closed_after_s(person: Person) -> tuple[float, float]:
    """How long somebody's "close everything" takes until it is heard, and until it is proved; then they go on."""
    began = time.monotonic()
    await until(lambda: person.post("/api/flatten"), 200, 429)
    heard = time.monotonic() - began
    await until(person.standing, "stopped")
    proved = time.monotonic() - began
    await until(lambda: person.post("/api/resume"), 200)
    return heard, proved


def spent(client: redis.Redis, family: str) -> int:
    """Calls of the last five seconds."""
    found: Any = client.lrange(budget_key(family, "calls"), 0, -1)
    seconds, micros = client.time()
    since = int(seconds) * 1_000_000 + int(micros) - IP_WINDOW_MS * 1000
    return sum(int(at) > since for at in found)


async def watched(client: redis.Redis, family: str, stop: asyncio.Event) -> int:
    """The most of `spent` until *stop*."""
    most = 0
    while not stop.is_set():
        most = max(most, spent(client, family))
        await asyncio.sleep(0.25)
    return most


@dataclass(frozen=True, slots=True)
class Measured:
    """One close: seconds until the web took it and until it was proved, and what the address went through."""

    heard_s: float
    proved_s: float
    most: int
    was_banned: bool
    answers: dict[int, int]

    def line(self, name: str) -> str:
        """As it is printed."""
        told = ", ".join(f"{count} x {status}" for status, count in sorted(self.answers.items()))
        ban = "THE ADDRESS WAS BANNED" if self.was_banned else "never closed"
        return (
            f"{name:28} heard {self.heard_s:5.1f} s · proved {self.proved_s:5.1f} s · "
            f"{self.most:3} of {SHARED} calls in 5 s · {ban} · {told}"
        )


async def beside(
    flood: Awaitable[dict[int, int]] | None, made: Deployment, person: Person, stop: asyncio.Event
) -> Measured:
    """One close of *person* beside *flood*, which ends with it."""
    client = connect(made.env["REDIS_URL"])
    family = family_of(f"http://127.0.0.1:{made.env['SIMULATOR_PORT']}")
    watching = asyncio.ensure_future(watched(client, family, stop))
    flooding = asyncio.ensure_future(flood) if flood is not None else None
    await asyncio.sleep(3)
    heard, proved = await closed_after_s(person)
    stop.set()
    answers = await flooding if flooding is not None else {}
    most = await watching
    banned = int(client.pttl(budget_key(family, "ban"))) > 0
    client.close()
    return Measured(heard, proved, most, banned, answers)


async def measured(made: Deployment, people: int, chosen: str) -> None:
    async with AsyncExitStack() as stack:

        async def person(number: int) -> Person:
            jar = aiohttp.CookieJar(unsafe=True)
            timeout = aiohttp.ClientTimeout(total=30)
            session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar, timeout=timeout))
            return Person(session, made.url, f"203.0.113.{number}")

        crowd = [await person(number) for number in range(people + 1)]
        registered = [await one.register(number) for number, one in enumerate(crowd)]
        print(f"{registered.count(200)} of {len(crowd)} people registered")
        owner, *others = crowd
        print((await beside(None, made, owner, asyncio.Event())).line("alone"), flush=True)
        for name, act, is_one in (flood for flood in FLOODS if not chosen or chosen in flood[0]):
            stop = asyncio.Event()
            flood = flooded(others[:1] if is_one else others, act, stop)
            print((await beside(flood, made, owner, stop)).line(name), flush=True)
    for service in ("trader", "web"):
        if "address_blocked" in made.said(service):
            print(f"{service}: the exchange closed the address")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--only", default="", help="a part of one flood's name")
    arguments = parser.parse_args()
    # the floods come from many addresses, as a proxy of ours would tell them
    with (
        tempfile.TemporaryDirectory(prefix="maemae-floods-") as folder,
        deployment(Path(folder), TRUSTED_PROXIES="1") as made,
    ):
        asyncio.run(measured(made, arguments.people, arguments.only))


if __name__ == "__main__":
    main()
