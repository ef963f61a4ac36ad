"""
Asks the questions of a memory test, window by window, and stops before it costs more than was allowed.

All questions of a window are asked, or none: a window that is begun was allowed for whole, at what its questions have
cost so far or were estimated at, whichever is more. Where no price is known nothing is counted but the questions.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from lib.domain.analyst_call import AnalystAnswer
from lib.domain.candle import Candle
from lib.domain.position import ZERO
from lib.evidence.memory import ASKS, Answered, Change, Memory, changed, memory, side_of

Window = Sequence[Candle]
Ask = Callable[[Window], Awaitable[AnalystAnswer]]
AT_ONCE = 4
"""Questions under way at once: a provider's limits are for the trader first."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """USD in all at *most*, and what one question is expected to cost; both None where no price is known."""

    most: Decimal | None
    a_question: Decimal | None


@dataclass(frozen=True, slots=True)
class Questioned:
    """What was found, over how many windows; *asked* questions, their cost in USD, and whether money ended it."""

    found: Memory
    asked: int
    usd: Decimal
    ended_by_cost: bool


async def questioned(
    windows: Sequence[Window], ask: Ask, allowed: Allowed, heard: Callable[[int], None] = lambda done: None
) -> Questioned:
    """Ask about each of *windows* until they are over or *allowed* is; *heard* is told how many are done."""
    answers: list[Answered] = []
    usd, turn = ZERO, asyncio.Semaphore(AT_ONCE)

    async def one(window: Window, change: Change, number: int) -> AnalystAnswer:
        async with turn:
            return await ask(changed(window, change, number))

    for number, window in enumerate(windows):
        if _is_too_dear(usd, number * len(ASKS), allowed):
            return Questioned(memory(answers), number * len(ASKS), usd, True)
        told = await asyncio.gather(*(one(window, change, number) for change in ASKS))
        usd += sum((each.cost for each in told if each.cost is not None), ZERO)
        answers.append(Answered(tuple(None if each.failed else side_of(each.decision) for each in told)))
        heard(number + 1)
    return Questioned(memory(answers), len(windows) * len(ASKS), usd, False)


def _is_too_dear(usd: Decimal, asked: int, allowed: Allowed) -> bool:
    """Whether another window may cost more than is left."""
    if allowed.most is None or allowed.a_question is None:
        return False
    each = max(allowed.a_question, usd / asked) if asked else allowed.a_question
    return usd + len(ASKS) * each > allowed.most
