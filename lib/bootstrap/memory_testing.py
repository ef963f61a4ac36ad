"""
`make memory-test`, wired: an analyst asked about windows of the past under other dates, prices, mirrors and orders.

The question is the cycle's own, over thirty candles; blocks beside them (longer candles, news) are left out, since they
have no other date or price to be shown under.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from lib.bootstrap.analyst import open_analyst, prices_of
from lib.bootstrap.backtesting import BacktestPlan, candles_of, recorded
from lib.bootstrap.bundled_rules import bundled_rules
from lib.domain.analyst_call import AnalystAnswer
from lib.domain.errors import Halt
from lib.domain.order import CYCLE_MS
from lib.domain.price_path import finest_step
from lib.domain.tokens import estimated
from lib.evidence.backtest import WINDOW, times_of
from lib.evidence.memory import ASKS
from lib.evidence.questioning import Allowed, Questioned, Window, questioned
from lib.evidence.tape import Tape
from lib.settings import Settings
from lib.trading.cycle.prompt import build_prompt

ANSWER_TOKENS = 150


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """
    *windows* of the past of *over*, evenly spread, asked of the analyst of *deployment*; None = of the bundled rules.
    *most_usd* is what all questions may cost.
    """

    over: BacktestPlan
    windows: int
    most_usd: Decimal
    deployment: Settings | None = None


@dataclass(frozen=True, slots=True)
class MemoryOffer:
    """What a test will ask: *model* ("" = the bundled rules), questions, and USD as estimated, None = not known."""

    model: str
    windows: int
    questions: int
    usd: Decimal | None


class MemoryTest:
    """A test that is ready: look at *offer*, then `run` it."""

    def __init__(self, plan: MemoryPlan) -> None:
        self._plan = plan
        self._windows = spread(_windows(plan.over), plan.windows)
        self.offer = self._offered()

    def _offered(self) -> MemoryOffer:
        settings, count = self._plan.deployment, len(self._windows)
        if settings is None:
            return MemoryOffer("", count, count * len(ASKS), Decimal(0))
        each = prices_of(settings).cost(estimated(self._text(self._windows[0], settings)), ANSWER_TOKENS)
        return MemoryOffer(settings.openai_model, count, count * len(ASKS), each and each * count * len(ASKS))

    def _text(self, window: Window, settings: Settings) -> str:
        prompt = build_prompt(self._plan.over.symbol, window, self._plan.over.settings, settings.openai_model)
        return prompt.system + prompt.user

    def run(self, heard: Callable[[int], None] = lambda done: None) -> Questioned:
        """Ask everything that was offered, and no more than is allowed."""
        if self._plan.deployment is None:
            return asyncio.run(questioned(self._windows, self._rules, Allowed(None, None), heard))
        return asyncio.run(self._asked(self._plan.deployment, heard))

    async def _rules(self, window: Window) -> AnalystAnswer:
        tape = Tape(self._plan.over.symbol, (*window, window[-1]), finest_step(window))
        said = bundled_rules(self._plan.over.settings, tape)(window[-1].open_time + 1)
        return AnalystAnswer(said.decision, "", "", 0, 0, 0, False)

    async def _asked(self, settings: Settings, heard: Callable[[int], None]) -> Questioned:
        analyst, client = open_analyst(settings, None)
        prices, over = prices_of(settings), self._plan.over

        async def ask(window: Window) -> AnalystAnswer:
            prompt = build_prompt(over.symbol, window, over.settings, settings.openai_model)
            answer = await analyst.ask(prompt, settings.analyst_budget_s)
            cost = prices.cost(answer.prompt_tokens, answer.completion_tokens, answer.cached_tokens)
            return replace(answer, cost=cost)

        a_question = None if self.offer.usd is None else self.offer.usd / self.offer.questions
        try:
            return await questioned(self._windows, ask, Allowed(self._plan.most_usd, a_question), heard)
        finally:
            await client.close()


def spread(windows: Sequence[Window], count: int) -> list[Window]:
    """*count* of *windows*, evenly spread over all of them; all where there are fewer."""
    if len(windows) <= count:
        return list(windows)
    return [windows[place * len(windows) // count] for place in range(count)]


def _windows(over: BacktestPlan) -> list[Window]:
    """The windows a person was asked about, or all of the candles'; *Halt* where there are none."""
    calls = recorded(over)
    asked: list[Window] = [call.candles for call in calls if len(call.candles) == WINDOW]
    if over.file is None and over.span is None and asked:
        return asked
    candles = candles_of(over, calls)
    tape = Tape(over.symbol, candles, finest_step(candles))
    ends = [tape.index(t_ms) for t_ms in times_of(tape, CYCLE_MS // 60_000)]
    if not ends:
        raise Halt("there is no window: no T has thirty candles before it")
    return [tuple(tape.candles[end - WINDOW : end]) for end in ends]
