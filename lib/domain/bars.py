"""
Closed candles of wider intervals at T: summed up from minutes, and older ones from the lists that are kept. Pure.

What minutes tell goes before what a list has: the list of an interval may get its newest candle seconds after T, the
minutes are there at T, so the same T gives the same bars whoever asks and when.
"""

from collections.abc import Sequence
from itertools import groupby

from lib.domain.candle import MINUTE_MS, Candle, interval_ms, sound_tail


def closed_bars(
    interval: str, minutes: Sequence[Candle], kept: Sequence[Candle], t_ms: int, count: int
) -> list[Candle]:
    """
    At most *count* newest bars of *interval* that closed by *t_ms* (epoch ms), consecutive, oldest first.

    *minutes* are closed one-minute candles, *kept* closed candles of the interval itself, both oldest first. Empty when
    the newest bar that has closed cannot be made of either.
    """
    step = interval_ms(interval)
    found = {bar.open_time: bar for bar in kept if bar.open_time + step <= t_ms}
    found |= {bar.open_time: bar for bar in summed(_until(minutes, t_ms), step)}
    bars = sound_tail(sorted(found.values(), key=lambda bar: bar.open_time), step)
    is_newest = bool(bars) and bars[-1].open_time + step == t_ms - t_ms % step
    return bars[-count:] if is_newest else []


def _until(minutes: Sequence[Candle], t_ms: int) -> list[Candle]:
    return sound_tail([one for one in minutes if one.open_time + MINUTE_MS <= t_ms], MINUTE_MS)


def summed(minutes: Sequence[Candle], step: int) -> list[Candle]:
    """The whole bars of *step* ms that *minutes* (in order) make up; a bar without one of its minutes is none."""
    groups = (
        (start, list(group)) for start, group in groupby(minutes, lambda one: one.open_time - one.open_time % step)
    )
    return [_bar(start, group) for start, group in groups if len(group) * MINUTE_MS == step]


def _bar(start: int, minutes: Sequence[Candle]) -> Candle:
    return Candle(
        start,
        minutes[0].open,
        max(one.high for one in minutes),
        min(one.low for one in minutes),
        minutes[-1].close,
        sum((one.volume for one in minutes[1:]), minutes[0].volume),
    )
