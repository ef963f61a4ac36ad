"""Who has a position open hears of a silent trader once, with their stop, and once when it is back."""

from dataclasses import dataclass
from decimal import Decimal

import pytest

from lib.clock import SteppedClock
from lib.domain.errors import Retry
from lib.domain.events import Event
from lib.domain.reason import text
from lib.telling.silence import SILENT_S, Silence
from tests.factories import SYMBOL, T


@dataclass(frozen=True)
class Seen:
    trader_age_s: float | None
    collector_age_s: float | None = 1.0


@dataclass(frozen=True)
class Open:
    user_id: int
    account_id: int
    stop_loss: Decimal | None = Decimal(58_000)
    symbol: str = SYMBOL
    direction: str = "long"


class Watch:
    def __init__(self) -> None:
        self.clock = SteppedClock(T)
        self.seen: Seen | None = Seen(1.0)
        self.auto = 0
        self.open = [Open(1, 11), Open(2, 12, None)]
        self.told: list[tuple[int, str]] = []
        self.about: set[str] = set()
        self.silence = self.fresh()

    def fresh(self) -> Silence:
        return Silence(self.signs, self, self.tell, self.clock)

    def signs(self, _: int) -> Seen:
        if self.seen is None:
            raise Retry(text("redis is away"))
        return self.seen

    def exposed(self) -> list[Open]:
        return self.open

    def trading(self) -> int:
        return self.auto

    def tell(self, user_id: int, account_id: int, event: Event) -> None:
        if event.about not in self.about:
            self.about.add(event.about)
            self.told.append((user_id, event.why.code))

    def look(self, trader_s: float | None, collector_s: float | None = 1.0) -> list[tuple[int, str]]:
        before = len(self.told)
        self.seen = Seen(trader_s, collector_s)
        self.silence.look()
        return self.told[before:]

    def miss(self, seconds: int, trader_s: float | None = None) -> list[tuple[int, str]]:
        """What is told in so many seconds without any sign of the trader."""
        told = []
        for _ in range(seconds // 10):
            told += self.look(trader_s)
            self.clock.advance_to(self.clock.now_ms() + 10_000)
        return told


def test_a_silence_is_told_once_to_whom_it_concerns_and_so_is_its_end() -> None:
    watch = Watch()
    assert watch.look(SILENT_S) == []
    begun = [(1, "nobody_watches"), (2, "nobody_watches_stopless"), (0, "trader_is_silent")]
    ended = [(1, "watched_again"), (2, "watched_again"), (0, "watched_again")]
    assert watch.look(SILENT_S + 1) == begun
    watch.clock.advance_to(T + 10_000)
    assert watch.look(SILENT_S + 11) == []
    assert watch.look(2.0) == ended
    assert watch.look(2.0) == []


def test_a_restart_in_the_middle_tells_nobody_again_and_the_end_still() -> None:
    watch = Watch()
    watch.look(SILENT_S + 1)
    watch.silence = watch.fresh()
    assert watch.look(SILENT_S + 1) == []
    assert watch.look(1.0) == [(1, "watched_again"), (2, "watched_again"), (0, "watched_again")]


def test_two_that_watch_tell_of_one_silence_once_whenever_each_looks() -> None:
    watch = Watch()
    other, last_sign_ms = watch.fresh(), T + 60_000
    watch.clock.advance_to(last_sign_ms + (SILENT_S + 1) * 1_000 + 400)
    assert watch.look(SILENT_S + 1.4) != []
    watch.clock.advance_to(last_sign_ms + (SILENT_S + 2) * 1_000 + 600)
    watch.silence = other
    assert watch.look(SILENT_S + 2.6) == []


def test_a_silent_collector_counts_too() -> None:
    assert watch_codes(Watch().look(1.0, SILENT_S + 1)) == {
        "nobody_watches",
        "nobody_watches_stopless",
        "collector_is_silent",
    }


def test_a_trader_that_never_gave_a_sign_is_silent_from_when_it_was_missed() -> None:
    watch = Watch()
    assert watch.miss(SILENT_S) == []
    assert watch_codes(watch.miss(30)) == {"nobody_watches", "nobody_watches_stopless", "trader_is_silent"}
    assert watch_codes(watch.look(1.0)) == {"watched_again"}


def test_without_positions_the_operators_alone_hear_of_it_and_only_while_somebody_trades() -> None:
    watch = Watch()
    watch.open = []
    assert watch.miss(SILENT_S * 2) == [], "a deployment where nobody trades owes nobody a trader"
    watch.auto = 3
    assert watch.miss(30) == [(0, "trader_is_silent")]


def test_an_empty_store_that_comes_back_is_no_silence() -> None:
    watch = Watch()
    watch.miss(SILENT_S - 20)
    watch.seen = None
    with pytest.raises(Retry):
        watch.silence.look()
    watch.clock.advance_to(T + 3_600_000)
    assert watch.look(None) == []
    assert watch.look(1.0) == []
    assert watch.miss(SILENT_S) == [], "a flushed store forgets the past too"


def test_the_next_silence_is_another() -> None:
    watch = Watch()
    watch.look(SILENT_S + 1)
    watch.look(1.0)
    watch.clock.advance_to(T + 3_600_000)
    assert len(watch.look(SILENT_S + 5)) == 3


def watch_codes(told: list[tuple[int, str]]) -> set[str]:
    return {code for _, code in told}
