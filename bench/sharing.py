"""
A thousand people on three templates and two symbols, in every bucket of a position: how many questions that is.

One process asks for everybody, through the real groups, turns and chain, an analyst that answers after four seconds and
a loop whose time jumps, so that a busy machine changes nothing but the CPU. Questions are held against the 42 there may
be (3 versions × 2 symbols × 7 buckets), the last answer against the 45 seconds an answer has; with eight places and 42
questions of four seconds the floor is 24. Start: `python -m bench.sharing`; exit status 1 when either is over.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, get_args

from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.bucket import Bucket
from lib.domain.input_blocks import in_order
from lib.domain.order import Order
from lib.trading.cycle.asking import ask_for_everybody
from lib.trading.turns import PLACES
from tests.factories import REF, order, settings
from tests.sim.loop import VirtualLoop
from tests.worlds.one_process import World
from tests.worlds.props import FakeAnalyst

TEMPLATES, SYMBOLS = 3, ("BTCUSDT", "ETHUSDT")
BUCKETS: tuple[Bucket, ...] = get_args(Bucket)
MOST_CALLS = TEMPLATES * len(SYMBOLS) * len(BUCKETS)
ANSWER_S, BUDGET_S = 4.0, 45.0
STOP = Decimal("0.02")
ENTERED_AT = {"flat": Decimal(1), "losing": Decimal("1.01"), "even": Decimal(1), "winning": Decimal("0.99")}
"""Of the price of now, for a long; a short's mirrored."""


class Standing:
    """The ledger of *world*, in which account n stands in the bucket n modulo seven, each with an entry of its own."""

    def __init__(self, world: World) -> None:
        self._ledger = world.ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def accounts(self) -> list[TraderAccount]:
        return [replace(one, booked_qty=self._qty(one.account_id)) for one in await self._ledger.accounts()]

    async def last_entry(self, account_id: int) -> Order:
        direction, _, state = BUCKETS[account_id % len(BUCKETS)].partition("_")
        sign = -1 if direction == "short" else 1
        entry = REF * (1 + sign * (ENTERED_AT[state] - 1)) + Decimal(account_id) / 1_000
        return replace(order(), account_id=account_id, avg_price=entry, stop_loss=entry * (1 - sign * STOP))

    @staticmethod
    def _qty(account_id: int) -> Decimal:
        direction = BUCKETS[account_id % len(BUCKETS)].partition("_")[0]
        return {"flat": Decimal(0), "long": Decimal(1), "short": Decimal(-1)}[direction] * account_id / 1_000


class Steady(FakeAnalyst):
    """Answers after `ANSWER_S`; *most* is how many it was asked at once."""

    now = most = 0

    async def ask(self, prompt: Prompt, budget_s: float) -> AnalystAnswer:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(ANSWER_S)
        self.now -= 1
        return await super().ask(prompt, budget_s)


@dataclass(frozen=True, slots=True)
class Shared:
    """What a cycle of *people* took: questions, at once, seconds to the last answer, CPU in ms."""

    people: int
    calls: int
    at_once: int
    last_s: float
    cpu_ms: float

    @property
    def is_fine(self) -> bool:
        return self.calls <= MOST_CALLS and self.at_once <= PLACES and self.last_s <= BUDGET_S


async def measure(people: int) -> Shared:
    """One T, asked for everybody."""
    world = World()
    world.analyst = analyst = Steady()
    for number in range(people):
        chosen = settings(custom_prompt=f"template {number % TEMPLATES}", inputs=in_order(["position"]))
        world.add_account(settings=chosen, symbol=SYMBOLS[number // TEMPLATES % len(SYMBOLS)])
    ledger: Any = Standing(world)
    context = replace(world.new_context(), switches=ledger, orders=ledger)
    world.to(world.t_ms + 2_000)
    began, cpu = asyncio.get_running_loop().time(), time.process_time()
    await ask_for_everybody(context, world.t_ms)
    took = asyncio.get_running_loop().time() - began
    return Shared(people, len(analyst.asked), analyst.most, took, (time.process_time() - cpu) * 1000)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000)
    loop = VirtualLoop()
    found = loop.run_until_complete(measure(parser.parse_args(arguments).people))
    loop.wind_down()
    print(
        f"{found.people} people: {found.calls} questions, {found.calls / MOST_CALLS:.2f} of the {MOST_CALLS} there may "
        f"be, {found.calls / found.people:.3f} of one a person; {found.at_once} at once, the last answer after "
        f"{found.last_s:.1f} s, {found.last_s / BUDGET_S:.2f} of its time; CPU {found.cpu_ms:.0f} ms"
    )
    sys.exit(0 if found.is_fine else 1)


if __name__ == "__main__":
    main()
