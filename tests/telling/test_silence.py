"""Who has a position open hears of a silent trader once, with their stop, and once when it is back."""

from dataclasses import dataclass
from decimal import Decimal

from lib.clock import SteppedClock
from lib.domain.events import Event
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
        self.seen = Seen(1.0)
        self.open = [Open(1, 11), Open(2, 12, None)]
        self.told: list[tuple[int, str]] = []
        self.about: set[str] = set()
        self.silence = self.fresh()

    def fresh(self) -> Silence:
        return Silence(lambda _: self.seen, lambda: self.open, self.tell, self.clock)

    def tell(self, user_id: int, account_id: int, event: Event) -> None:
        if event.about not in self.about:
            self.about.add(event.about)
            self.told.append((user_id, event.why.code))

    def look(self, trader_s: float | None, collector_s: float | None = 1.0) -> list[tuple[int, str]]:
        before = len(self.told)
        self.seen = Seen(trader_s, collector_s)
        self.silence.look()
        return self.told[before:]


def test_a_silence_is_told_once_to_whom_it_concerns_and_so_is_its_end() -> None:
    watch = Watch()
    assert watch.look(SILENT_S) == []
    assert watch.look(SILENT_S + 1) == [(1, "nobody_watches"), (2, "nobody_watches_stopless")]
    watch.clock.advance_to(T + 10_000)
    assert watch.look(SILENT_S + 11) == []
    assert watch.look(2.0) == [(1, "watched_again"), (2, "watched_again")]
    assert watch.look(2.0) == []


def test_a_restart_in_the_middle_tells_nobody_again_and_the_end_still() -> None:
    watch = Watch()
    watch.look(SILENT_S + 1)
    watch.silence = watch.fresh()
    assert watch.look(SILENT_S + 1) == []
    assert watch.look(1.0) == [(1, "watched_again"), (2, "watched_again")]


def test_a_silent_collector_counts_too_and_what_was_never_seen_does_not() -> None:
    watch = Watch()
    assert watch.look(None, None) == []
    assert len(watch.look(1.0, SILENT_S + 1)) == 2


def test_the_next_silence_is_another() -> None:
    watch = Watch()
    watch.look(SILENT_S + 1)
    watch.look(1.0)
    watch.clock.advance_to(T + 3_600_000)
    assert len(watch.look(SILENT_S + 5)) == 2
