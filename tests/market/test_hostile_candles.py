"""
Thousands of worlds (twelve thousand at night) of stored candles and REST answers: none becomes a decision window that
is not the truth.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest
import redis.asyncio
from hypothesis import given
from hypothesis import strategies as st

from lib.adapters.bybit.limits.limiter import LocalLimiter
from lib.adapters.bybit.rest.exchanges import BybitAsyncMarket
from lib.adapters.redis.candle_store import AsyncRedisCandleReader
from lib.domain.candle import MINUTE_MS, Candle, candle_problem, first_gap, sound_tail
from lib.domain.errors import Skip
from lib.trading.context import TradingContext
from lib.trading.cycle.candles import decision_window
from tests.effort import examples, seeds
from tests.factories import T
from tests.fakes.market import SetClock
from tests.market.hostile_scenes import HARMLESS, HOSTILE, scene_of
from tests.market.hostile_stored import flipped_bit
from tests.market.hostile_windows import SHOWN, Page, Scene, Stored, market, scaled

SCENES = seeds(12_000)


class ScriptedRedis:
    """LRANGE by script, the last answer for ever; an exception is raised."""

    def __init__(self, script: Sequence[Stored]) -> None:
        self._script = list(script)

    async def lrange(self, name: str, start: int, end: int) -> list[bytes]:
        assert (name, start, end) == ("kline:BTCUSDT:1m", 0, SHOWN - 1)
        step = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(step, Exception):
            raise step
        return step


class ScriptedVenue:
    """One answer to every REST call."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.calls = 0

    async def request(self, *_: object) -> tuple[int, dict[str, str], bytes]:
        self.calls += 1
        if isinstance(self._page, Exception):
            raise self._page
        return self._page[0], {}, self._page[1]


def context_over(scene: Scene) -> TradingContext:
    """The trader's real readers over *scene*: Redis decoding, REST parsing, limits. 19.2 s after T, so asked thrice."""
    clock = SetClock(T + 19_200)
    venue = ScriptedVenue(scene.rest())
    rest = BybitAsyncMarket("http://feed", {}, lambda _: cast(Any, venue), clock, LocalLimiter(clock, ip_calls=0))
    reader = AsyncRedisCandleReader(cast(redis.asyncio.Redis, ScriptedRedis(scene.reads())))
    return cast(TradingContext, SimpleNamespace(candles=reader, market=rest, clock=clock))


async def outcome_of(scene: Scene) -> list[Candle] | str:
    """The window, or the plain reason why there is none; anything but *Skip* passes and fails the test."""
    try:
        return await decision_window(context_over(scene), "BTCUSDT", T)
    except Skip as skip:
        return str(skip)


def truth_problem(window: Sequence[Candle], truth: Sequence[Candle]) -> str:
    """The contract written a second time, in fractions: thirty closed, contiguous, sane, closing at T, and true."""
    if [row.open_time for row in window] != [T - n * 60_000 for n in range(30, 0, -1)]:
        return "not the thirty minutes before T"
    rows = [[Fraction(x) for x in (row.open, row.high, row.low, row.close, row.volume)] for row in window]
    if not all(0 < low <= min(o, c) and max(o, c) <= high <= low * Fraction(6, 5) for o, high, low, c, _ in rows):
        return "not sane"
    if any(volume < 0 for *_, volume in rows):
        return "a negative volume"
    if any(abs(newer[0] / older[3] - 1) > Fraction(1, 5) for older, newer in pairwise(rows)):
        return "a jump"
    return "" if list(window) == list(truth[-30:]) else "not the truth"


def plain(reason: str) -> bool:
    return 0 < len(reason) <= 200 and reason.isprintable()


async def test_no_scene_becomes_a_window_that_is_not_the_truth() -> None:
    seen: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    reasons: set[str] = set()
    for seed in SCENES:
        scene, kinds = scene_of(seed)
        seen.update(kinds)
        found = await outcome_of(scene)
        if isinstance(found, str):
            assert plain(found), (seed, kinds, found)
            verdicts["skipped"] += 1
            reasons.add(found.split(" ")[0])
        else:
            assert truth_problem(found, scene.truth) == "", (seed, kinds)
            verdicts["window"] += 1
    assert verdicts.total() == len(SCENES) >= 2_400
    assert min(verdicts["window"], verdicts["skipped"]) > len(SCENES) // 12, verdicts
    assert min(seen[kind.__name__] for kind in HOSTILE + HARMLESS) > len(SCENES) // 120, seen
    assert len(reasons) > 5


@pytest.mark.parametrize("kind", HOSTILE, ids=lambda kind: kind.__name__)
async def test_each_kind_of_hostility_alone_is_enough_to_skip(kind: Any) -> None:
    for seed in range(40):
        scene, _ = fresh_scene(seed)
        kind(scene)
        found = await outcome_of(scene)
        # a flipped bit may land on a letter's case or a zero's twin; then the row still says the truth
        assert isinstance(found, str) or kind is flipped_bit, seed


@pytest.mark.parametrize("kind", HARMLESS, ids=lambda kind: kind.__name__)
async def test_another_spelling_or_a_late_read_of_the_truth_is_a_window(kind: Any) -> None:
    for seed in range(40):
        scene, _ = fresh_scene(seed)
        kind(scene)
        found = await outcome_of(scene)
        assert isinstance(found, list), (seed, found)
        assert truth_problem(found, scene.truth) == ""


def fresh_scene(seed: int) -> tuple[Scene, list[Candle]]:
    rng = Random(seed)
    truth = market(rng)
    return Scene(rng, truth, held=list(truth), shown=list(truth)), truth


@examples(200)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(HOSTILE + HARMLESS), max_size=4))
async def test_any_mixture_of_hostilities_ends_in_the_truth_or_a_plain_skip(seed: int, kinds: list[Any]) -> None:
    scene, truth = fresh_scene(seed)
    for kind in kinds:
        if scene.held and scene.shown:
            kind(scene)
    found = await outcome_of(scene)
    assert plain(found) if isinstance(found, str) else truth_problem(found, truth) == ""


async def test_the_cross_check_is_one_rest_call_for_all_thirty_candles() -> None:
    scene, _ = fresh_scene(1)
    context = context_over(scene)
    venue = cast(ScriptedVenue, cast(Any, context.market)._feed)
    await decision_window(context, "BTCUSDT", T)
    assert venue.calls == 1


def test_the_oracle_itself_refuses_what_it_must() -> None:
    truth = market(Random(5))
    window = truth[-30:]
    assert truth_problem(window, truth) == ""
    assert truth_problem(truth[-31:-1], truth)
    assert truth_problem(window[:-1], truth)
    first = window[0]
    for bad in (
        replace(first, low=Decimal(0)),
        replace(first, volume=Decimal(-1)),
        replace(first, high=Decimal(10**7)),
    ):
        spoiled = [bad, *window[1:]]
        assert truth_problem(spoiled, spoiled)
    crashed = [scaled(row, Decimal(2)) if n > 20 else row for n, row in enumerate(window)]
    assert truth_problem(crashed, crashed) == "a jump"


# --- the other readers: what the chart shows and the collector continues ----------------------------------------------


def candle_lists() -> Iterator[list[Candle]]:
    """The hostile lists whose every row can be decoded, as the chart and the collector may read them."""
    for seed in seeds(2_000):
        scene, _ = scene_of(seed)
        rows = [item for item in scene.held if isinstance(item, Candle)]
        if len(rows) == len(scene.held):
            yield rows


def test_what_is_shown_or_continued_is_the_newest_sound_stretch_and_nothing_is_lost_from_a_sound_list() -> None:
    lengths: Counter[bool] = Counter()
    for rows in candle_lists():
        tail = sound_tail(rows, MINUTE_MS)
        assert tail == rows[len(rows) - len(tail) :]
        assert first_gap(tail, MINUTE_MS) is None
        assert not any(candle_problem(candle, MINUTE_MS) for candle in tail)
        if len(tail) < len(rows):
            before = rows[len(rows) - len(tail) - 1]
            follows = not tail or before.open_time + MINUTE_MS == tail[0].open_time
            assert candle_problem(before, MINUTE_MS) or not follows
        lengths[len(tail) == len(rows)] += 1
    assert min(lengths.values()) > len(seeds(2_000)) // 10
