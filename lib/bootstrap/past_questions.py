"""
What a model is to be asked about the past, wired: the cycle's own prompt over the library's candles, point in time.

A T is asked about by what had closed at it: the window and the blocks made of candles, through the same functions as in
a cycle. What the library has nothing of (funding, news, where the account stood) is left out with its reason, as in a
cycle that could not read it. A memory test's questions are those of `lib.evidence.memory`, without blocks.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lib.accounts.quarantine import PastWorkshop
from lib.bootstrap.analyst import sample_window
from lib.domain.account import AccountSettings
from lib.domain.account_records import AskingAccount
from lib.domain.analyst_call import Prompt
from lib.domain.backtests import Wish
from lib.domain.bars import summed
from lib.domain.candle import MINUTE_MS, Candle, interval_ms
from lib.domain.input_blocks import BLINDFOLD, Block, Shown
from lib.domain.price_path import finest_step
from lib.domain.quarantine import PastQuestion
from lib.domain.tokens import estimated
from lib.evidence.backtest import WINDOW, times_of
from lib.evidence.memory import ASKS, Change, changed
from lib.evidence.tape import Tape
from lib.market.library import Footage
from lib.market.sight import KEPT, Material, is_of_candles, lens_for, minutes_for, shown
from lib.trading.cycle.prompt import prompt_for


def lead_ms(inputs: Sequence[Block]) -> int:
    """How long before the first T candles are needed for what is shown."""
    of_bars = ((one.count + 1) * interval_ms(one.interval) for one in inputs if is_of_candles(one))
    return max((WINDOW * MINUTE_MS, *of_bars))


@dataclass(frozen=True, slots=True)
class Shelf:
    """Candles by interval, as far as they had closed at a T."""

    minutes: Sequence[Candle]
    opens: Sequence[int]
    wider: dict[str, list[Candle]]

    def material(self, t_ms: int, inputs: Sequence[Block]) -> Material:
        """What is known at T."""
        end = bisect_right(self.opens, t_ms - MINUTE_MS)
        kept = {}
        for interval, bars in self.wider.items():
            step = interval_ms(interval)
            count = max(one.count for one in inputs if is_of_candles(one) and one.interval == interval) + 1
            closed = bisect_right(bars, t_ms - step, key=lambda bar: bar.open_time)
            kept[interval] = bars[max(closed - count, 0) : closed]
        return Material(t_ms, self.minutes[max(end - minutes_for(inputs), 0) : end], kept)


def shelf_of(candles: Sequence[Candle], inputs: Sequence[Block]) -> Shelf:
    """*candles* (closed one-minute ones, oldest first) with the wider ones that *inputs* want."""
    intervals = {one.interval for one in inputs if is_of_candles(one) and one.interval in KEPT}
    return Shelf(
        candles, [one.open_time for one in candles], {name: summed(candles, interval_ms(name)) for name in intervals}
    )


def asking_of(wish: Wish) -> AskingAccount:
    """Whose prompt it is: the version's, in its language, of no account."""
    settings: AccountSettings = wish.settings
    if wish.kind == "memory":
        settings = replace(settings, inputs=tuple(one for one in settings.inputs if one == BLINDFOLD))
    return AskingAccount(wish.symbol, settings, False, wish.language)


def question_at(asking: AskingAccount, shelf: Shelf, t_ms: int) -> Prompt:
    """What *asking* would have been sent at T."""
    end = bisect_right(shelf.opens, t_ms - MINUTE_MS)
    window, inputs = shelf.minutes[end - WINDOW : end], asking.settings.inputs
    beside: tuple[Shown, ...] = ()
    if any(one != BLINDFOLD for one in inputs):
        beside = shown(inputs, shelf.material(t_ms, inputs), lens_for(inputs, t_ms, window))
    return prompt_for(asking, window, "", beside)


def questions_of(wish: Wish, footage: Footage) -> Iterator[PastQuestion]:
    """Everything *wish* asks about *footage*, in order."""
    asking, tape = asking_of(wish), Tape(wish.symbol, footage.candles, finest_step(footage.candles))
    times = times_of(tape, wish.cadence_min, (wish.since_ms, wish.until_ms))
    if wish.kind == "memory":
        yield from _of_memory(wish, asking, tape, times)
        return
    shelf = shelf_of(footage.candles, asking.settings.inputs)
    for seq, t_ms in enumerate(times):
        yield PastQuestion(seq, t_ms, question_at(asking, shelf, t_ms))


def _of_memory(wish: Wish, asking: AskingAccount, tape: Tape, times: Sequence[int]) -> Iterator[PastQuestion]:
    count = min(wish.windows, len(times))
    for number in range(count):
        t_ms = times[number * len(times) // count]
        end = tape.index(t_ms)
        window, repeats = tape.candles[end - WINDOW : end], 0
        for place, change in enumerate(ASKS):
            again = repeats if change is Change.NONE else 0
            repeats += change is Change.NONE
            prompt = prompt_for(asking, changed(window, change, number), "")
            yield PastQuestion(number * len(ASKS) + place, t_ms, prompt, again)


BLOCK_TOKENS = {"bars": 45, "indicators": 2}
"""About how many a bar and one of the candles behind indicators are."""


def tokens_of(wish: Wish) -> int:
    """About how many tokens a question of *wish* is: of invented candles, with its blocks."""
    asking = asking_of(wish)
    said = prompt_for(asking, sample_window(), "")
    beside = sum(BLOCK_TOKENS[one.kind] * one.count if is_of_candles(one) else 20 for one in asking.settings.inputs)
    return estimated(said.system) + estimated(said.user) + beside


def workshop() -> PastWorkshop:
    """What the desk knows of questions."""
    return PastWorkshop(len(ASKS), tokens_of)
