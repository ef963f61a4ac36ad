"""
The analyst of this deployment: wired, priced, and tried with one real question.

Prices the operator set win; else a known model has its known price. The question of a trial is a real prompt over
invented candles; what it costs is in no budget, so the trader's start asks no more often than every five minutes.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lib.adapters.openai.advice import advice
from lib.adapters.openai.prices import known_prices
from lib.adapters.openai.profile import Wishes, as_format
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.forms.analyst_profiles import SqlAnalystProfiles
from lib.analyst_settings import LEARN
from lib.clock import SystemClock
from lib.domain.account import AccountSettings
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.decision import Abstained
from lib.domain.errors import Halt
from lib.domain.instrument import Instrument
from lib.domain.pricing import AnalystPrices
from lib.ports.analyst import AnalystProfiles
from lib.settings import Settings
from lib.simulator.market.synthetic import SyntheticMarket
from lib.trading.cycle.prompt import build_prompt

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from lib.adapters.openai.analyst import OpenAIAnalyst

WINDOW = 30
TRIED = "tried"
TRIED_EVERY_MS = 300_000
_TICK = Decimal("0.1")
_RULES = Instrument("BTCUSDT", _TICK, _TICK, _TICK, Decimal(100), Decimal(5), Decimal(100))


def analyst_prices(settings: Settings) -> AnalystPrices:
    """What this deployment's model costs; *Halt* when the operator capped a cost that cannot be counted."""
    prices = prices_of(settings)
    if settings.analyst_cost_capped and not prices.known:
        raise Halt(
            f"PLATFORM_ANALYST_COST_USD cannot be counted: what {settings.openai_model} costs is not known, "
            "set ANALYST_PRICE_INPUT_USD and ANALYST_PRICE_OUTPUT_USD"
        )
    return prices


def counts_cost(settings: Settings) -> bool:
    """Whether what the analyst costs is counted here at all."""
    return prices_of(settings).known


def prices_of(settings: Settings) -> AnalystPrices:
    """What the operator set, else what the model is known to cost, if it is."""
    own = settings.analyst_prices
    return own if own.known else known_prices(settings.openai_base_url, settings.openai_model)


def wishes_of(settings: Settings) -> Wishes:
    """How the operator wants the analyst asked."""
    effort = "" if settings.analyst_effort == LEARN else settings.analyst_effort
    return Wishes(as_format(settings.analyst_format), effort, settings.analyst_max_tokens)


def open_analyst(settings: Settings, engine: sa.Engine | None) -> "tuple[OpenAIAnalyst, AsyncOpenAI]":
    """The analyst, remembering in the database of *engine* (None = nowhere), and its client to be closed."""
    from lib.adapters.openai.analyst import OpenAIAnalyst, connect  # slow to import, and most processes ask nobody

    client = connect(settings.openai_base_url, settings.openai_api_key)
    profiles: AnalystProfiles | None = SqlAnalystProfiles(engine) if engine is not None else None
    return OpenAIAnalyst(client, wishes=wishes_of(settings), profiles=profiles), client


@dataclass(frozen=True, slots=True)
class Trial:
    """One real question and what came of it. *advice* names the setting to look at, "" when nothing is wrong."""

    answer: AnalystAnswer
    steps: tuple[tuple[str, str], ...]
    how: str
    prices: AnalystPrices
    advice: str

    @property
    def works(self) -> bool:
        """Whether it gave a view that can be read."""
        return not isinstance(self.answer.decision, Abstained)


async def try_analyst(settings: Settings) -> Trial:
    """Ask this deployment's analyst one real question. *Halt* when a setting cannot work at all."""
    settings.require("OPENAI_API_KEY")
    prices = analyst_prices(settings)
    async with _opened(settings) as (analyst, steps):
        answer = await analyst.ask(sample_prompt(settings.openai_model), settings.analyst_budget_s)
        how = await analyst.how(settings.openai_model)
    priced = replace(answer, cost=prices.cost(answer.prompt_tokens, answer.completion_tokens))
    return Trial(priced, tuple(steps), how, prices, advice(answer, settings.openai_base_url))


async def try_at_start(settings: Settings) -> Trial | None:
    """`try_analyst`, unless one was begun in the last five minutes: a process that restarts for ever pays no more."""
    engine = make_engine(settings.database_url)
    try:
        if not await _begin(SqlAnalystProfiles(engine), SystemClock().now_ms()):
            return None
    finally:
        await asyncio.to_thread(engine.dispose)
    return await try_analyst(settings)


async def _begin(profiles: AnalystProfiles, now_ms: int) -> bool:
    """Whether the last question at a start is long enough ago; then this one is noted."""
    before = await profiles.read(TRIED)
    if before.isdigit() and 0 <= now_ms - int(before) < TRIED_EVERY_MS:
        return False
    await profiles.write(TRIED, str(now_ms))
    return True


@asynccontextmanager
async def _opened(settings: Settings) -> "AsyncIterator[tuple[OpenAIAnalyst, list[tuple[str, str]]]]":
    engine = make_engine(settings.database_url) if settings.database_url else None
    steps: list[tuple[str, str]] = []
    analyst, client = open_analyst(settings, engine)
    analyst.on_step = lambda name, words: steps.append((name, words))
    try:
        yield analyst, steps
    finally:
        await client.close()
        if engine is not None:
            await asyncio.to_thread(engine.dispose)


def sample_prompt(model: str) -> Prompt:
    """A real prompt over thirty invented candles that end now."""
    return build_prompt("BTCUSDT", sample_window(), AccountSettings(), model)


def sample_window() -> list[Candle]:
    """Thirty invented candles that end now."""
    market = SyntheticMarket(7, {"BTCUSDT": _RULES})
    newest = SystemClock().now_ms() // MINUTE_MS * MINUTE_MS - MINUTE_MS
    rows = [market.candle("BTCUSDT", newest - back * MINUTE_MS) for back in range(WINDOW - 1, -1, -1)]
    return [row for row in rows if row is not None]
