"""
Outages on real servers: each takes something away across a five-minute boundary and gives it back.

`python -m tests.torture.outages` plays the short versions, `--long` the real lengths at real speed, all beside each
other. What is asked of each: no wrong order (the judge's promises), a stop taken away meanwhile is put back wherever
the exchange can be reached, everything recovers by itself, and the next cycle trades.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable

import redis

from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.tables.trading import trader_lease
from tests.torture.ground import Ground, eventually, opened
from tests.torture.stores import address
from tests.worlds.cut_off import Found, Stage, staged

REDIS_DOWN_S = 600
SHORT_S = 20
EXCHANGE_DOWN_S = 300


async def redis_down(stage: Stage) -> None:
    """Redis is gone for ten minutes, a boundary among them: a skipped cycle, and nothing else."""
    stage.ground.redis.end()
    began = stage.now
    await stage.strip(stage.world.people[0])
    t_ms = await stage.come("sell")
    await stage.until("the cycle without candles was skipped", lambda: stage.served(t_ms))
    _only(stage, t_ms, "skipped")
    await stage.rest(REDIS_DOWN_S - 310 if stage.is_long else SHORT_S)
    await asyncio.to_thread(stage.ground.redis.start)
    await _recovered(stage, began, lambda: stage.is_fresh() and "trader_heartbeat" in stage.heard())


async def redis_flushed(stage: Stage) -> None:
    """Redis forgets everything once a second, across a boundary."""
    began = stage.now
    flushing = asyncio.create_task(_flush(stage))
    try:
        await stage.strip(stage.world.people[0])
        t_ms = await stage.come("sell")
        await stage.until("the cycle has ended", lambda: stage.served(t_ms))
        stage.count(t_ms)
        await stage.rest(REDIS_DOWN_S - 310 if stage.is_long else 5)
    finally:
        flushing.cancel()
        await asyncio.gather(flushing, return_exceptions=True)
    await _recovered(stage, began, stage.is_fresh)


async def _flush(stage: Stage) -> None:
    with redis.Redis(unix_socket_path=str(stage.ground.redis.socket)) as client:
        while True:
            client.flushall()
            await asyncio.sleep(1.0)


async def redis_full(stage: Stage) -> None:
    """Redis has no room left and evicts nothing: every write is refused across a boundary."""
    began = stage.now
    with redis.Redis(unix_socket_path=str(stage.ground.redis.socket)) as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1")
        await stage.strip(stage.world.people[0])
        t_ms = await stage.come("sell")
        await stage.until("the cycle without candles was skipped", lambda: stage.served(t_ms))
        _only(stage, t_ms, "skipped")
        await stage.rest(REDIS_DOWN_S - 310 if stage.is_long else SHORT_S)
        client.config_set("maxmemory", "0")
    await _recovered(stage, began, stage.is_fresh)


async def database_read_only(stage: Stage) -> None:
    """MariaDB takes no write, as a replica after a fail-over: nobody enters, stops are repaired without it."""
    t_ms = await stage.come("sell")
    await eventually("everybody has turned", lambda: stage.served(t_ms))
    stage.count(t_ms)
    began = stage.now
    _as(stage, "root", "GRANT ALL ON *.* TO whoever@localhost WITH GRANT OPTION")
    _as(stage, "whoever", "REVOKE SUPER, READ_ONLY ADMIN ON *.* FROM root@localhost", "SET GLOBAL read_only = 1")
    _as(stage, "whoever", "KILL USER root")
    stage.world.engine.dispose()
    await stage.strip(stage.world.people[0])
    await stage.rest(60 if stage.is_long else 8)
    _as(stage, "whoever", "SET GLOBAL read_only = 0")
    await _recovered(stage, began, lambda: _leads(stage))


def _as(stage: Stage, user: str, *statements: str) -> None:
    engine = make_engine(address(stage.ground.database.socket, "mysql", user))
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


async def database_killed(stage: Stage) -> None:
    """MariaDB is killed in the middle of a cycle and started again later; stops are repaired without it."""
    t_ms = await stage.come("sell")
    await eventually("the cycle has planned", lambda: any(row["t_ms"] == t_ms for row in stage.world.open_rows()))
    await _without_database(stage)


async def database_killed_after_entries(stage: Stage) -> None:
    """MariaDB is killed as soon as everybody's position is turned: the stop of one nobody has looked at comes back."""
    t_ms = await stage.come("sell")
    await eventually("everybody has turned", lambda: stage.served(t_ms))
    stage.count(t_ms)
    await _without_database(stage)


async def _without_database(stage: Stage) -> None:
    began = stage.now
    stage.ground.database.end()
    stage.world.engine.dispose()
    held = [p for p in stage.world.people if (await stage.judge.position(p))["size"] != "0"]
    if held:
        await stage.strip(held[0])
    await stage.rest(60 if stage.is_long else 8)
    await asyncio.to_thread(stage.ground.database.start)
    await _recovered(stage, began, lambda: _leads(stage))


def _leads(stage: Stage) -> bool:
    """Whether somebody holds the lease by the clock of now."""
    return bool(stage.world.rows(trader_lease)[0]["expires_ms"] > stage.now)


async def exchange_down(stage: Stage) -> None:
    """The exchange dies in the middle of a cycle and comes back with its books."""
    t_ms = await stage.come("sell")
    await eventually("the cycle has planned", lambda: any(row["t_ms"] == t_ms for row in stage.world.open_rows()))
    began, stage.is_watched = stage.now, False
    await stage.ground.stop_venue(signal.SIGKILL)
    await stage.rest(EXCHANGE_DOWN_S if stage.is_long else SHORT_S)
    await stage.ground.start_venue()
    stage.is_watched = True
    await _recovered(stage, began, stage.is_fresh)


async def stream_silent(stage: Stage) -> None:
    """The kline stream stays open and says nothing: REST brings the candle, and the cycle trades in time."""
    began = stage.now
    for kind, count in (("ws_silent", 3), ("ws_reset", 1)):
        fault = {"kind": kind, "path": "/v5/public/linear", "count": count}
        await stage.ground.exchange.post("/sim/faults", fault)
    await stage.until("the stream was cut", lambda: stage.heard().get("websocket_connected") == "false", 60)
    await stage.strip(stage.world.people[0])
    t_ms = await stage.come("sell")
    await stage.until("the cycle has ended", lambda: stage.served(t_ms), jumps=False)
    _only(stage, t_ms, "sold")
    await stage.ground.exchange.session.delete(f"{stage.ground.exchange.url}/sim/faults")
    await _recovered(stage, began, lambda: _streams(stage))


def _streams(stage: Stage) -> bool:
    return stage.is_fresh() and stage.heard().get("websocket_connected") == "true"


async def analyst_hangs(stage: Stage) -> None:
    """The analyst takes the question and never answers: held, and the guardian does not wait for it."""
    began = stage.now
    stage.ground.views.hangs = True
    asked = stage.ground.views.asked
    t_ms = await stage.come("sell")
    await eventually("the analyst is asked", lambda: stage.ground.views.asked > asked)
    await stage.strip(stage.world.people[0])
    await stage.until("the cycle has ended", lambda: stage.served(t_ms))
    if "sold" in stage.outcomes(t_ms):
        stage.problem(f"an order without an answer: {stage.outcomes(t_ms)}")
    stage.count(t_ms)
    stage.ground.views.release()
    await _recovered(stage, began, lambda: True)


def _only(stage: Stage, t_ms: int, outcome: str) -> None:
    stage.count(t_ms)
    if set(stage.outcomes(t_ms)) != {outcome}:
        stage.problem(f"{outcome} was expected, not {stage.outcomes(t_ms)}: {stage.reasons(t_ms)}")


async def _recovered(stage: Stage, began: int, holds: Callable[[], object]) -> None:
    stage.found.lasted_ms = stage.now - began
    stage.found.recovered_ms = await stage.until("recovered without a hand", holds, 60)
    more = await stage.until("every row has its verdict", stage.world.is_terminal, 60)
    stage.found.terminal_ms = stage.found.recovered_ms + more


OUTAGES: dict[str, tuple[Callable[[Stage], Awaitable[None]], dict[str, str]]] = {
    "redis down": (redis_down, {}),
    "redis flushed": (redis_flushed, {}),
    "redis full": (redis_full, {}),
    "database read only": (database_read_only, {}),
    "database killed": (database_killed, {}),
    "database killed after entries": (database_killed_after_entries, {}),
    "exchange down": (exchange_down, {}),
    "stream silent": (stream_silent, {}),
    "analyst hangs": (analyst_hangs, {"ANALYST_BUDGET_S": "5"}),
}


async def play(ground: Ground, name: str, *, is_long: bool = False) -> Found:
    """The outage called *name*, and an ordinary cycle after it."""
    outage, shorter = OUTAGES[name]
    async with staged(ground, name, is_long=is_long, **({} if is_long else shorter)) as stage:
        await outage(stage)
        await stage.trade(await stage.turning())
        return await stage.verdict()


async def _alone(name: str, is_long: bool) -> Found:
    async with opened() as ground:
        return await play(ground, name, is_long=is_long)


async def _all(names: list[str], is_long: bool) -> list[Found]:
    if is_long:
        return list(await asyncio.gather(*(_alone(name, is_long=True) for name in names)))
    return [await _alone(name, is_long=False) for name in names]


def main() -> int:
    """Run as told on the command line; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="the real lengths, at real speed")
    parser.add_argument("--only", default="", help="outages whose name holds these words")
    asked = parser.parse_args()
    found = asyncio.run(_all([name for name in OUTAGES if asked.only in name], asked.long))
    for one in found:
        sys.stdout.write(f"{one}\n" + "".join(f"    BROKEN {problem}\n" for problem in one.problems))
    return any(one.problems for one in found)


if __name__ == "__main__":
    raise SystemExit(main())
