"""Questions are worked out one after the other by somebody else; whatever becomes of them is written down."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field, replace

import pytest

from lib.domain import reason_codes as codes
from lib.domain.backtests import State, Wish
from lib.domain.day import DAY_MS
from lib.domain.decision import Abstained
from lib.domain.errors import Retry
from lib.domain.reason import Reason
from lib.evidence import works as works_module
from lib.evidence.works import BacktestWorks
from lib.ports.backtests import Answer, BacktestBook, BacktestWorker, Heard, Job, Said
from tests.fakes.market import SetClock

WISH = Wish("rules", "BTCUSDT", 0, 30 * DAY_MS)
DONE = Answer({"earned": "0.1"})


@dataclass
class MemoryBook(BacktestBook):
    """`BacktestBook` in lists."""

    jobs: list[Job]
    known: dict[str, Answer] = field(default_factory=dict)
    ends: list[tuple[int, State, Answer | None, Reason | None]] = field(default_factory=list)
    beats: list[tuple[int, int]] = field(default_factory=list)
    patience: int = 1_000
    """After so many beats it is wanted no more."""
    away: int = 0
    on_beat: Callable[[], object] = lambda: None

    def take(self, feed: str, now_ms: int) -> Job | None:
        if self.away:
            self.away -= 1
            raise Retry("away")
        return self.jobs.pop(0) if self.jobs else None

    def beat(self, job_id: int, done: int, whole: int, now_ms: int) -> bool:
        self.beats.append((done, whole))
        self.on_beat()
        return len(self.beats) <= self.patience

    def end(
        self, job_id: int, state: State, now_ms: int, answer: Answer | None = None, why: Reason | None = None
    ) -> None:
        self.ends.append((job_id, state, answer, why))

    def answered(self, key: str) -> Answer | None:
        return self.known.get(key)

    def recorded(self, job: Job) -> Iterable[Said]:
        return [Said(7, Abstained(codes.BACKTEST_NO_DECISION()), 1, False)]


@dataclass
class Scripted(BacktestWorker):
    """Tells *script*; None = waits for ever."""

    script: list[Heard | None]
    said: list[list[Said]] = field(default_factory=list)
    closed: int = 0

    async def work(self, wish: Wish, said: Iterable[Said]) -> AsyncIterator[Heard]:
        self.said.append(list(said))
        try:
            for one in self.script:
                if one is None:
                    await asyncio.Event().wait()
                else:
                    yield one
        finally:
            self.closed += 1


def job(number: int = 1, wish: Wish = WISH) -> Job:
    return Job(number, 7, "synthetic", f"key {number}", wish)


async def worked(book: MemoryBook, worker: Scripted) -> None:
    stop = asyncio.Event()
    works = BacktestWorks(book, worker, "synthetic", SetClock(5))
    while await works.one(stop):
        pass


async def test_progress_and_end_are_written_down() -> None:
    book, worker = MemoryBook([job(), job(2)]), Scripted([(0, 9), (5, 9), DONE])
    await worked(book, worker)
    assert book.ends == [(1, "done", DONE, None), (2, "done", DONE, None)]
    assert book.beats[0] == (0, 9)
    assert worker.closed == 2
    assert worker.said == [[], []], "nobody's answers are read for the rules"


async def test_what_cannot_be_is_told_with_its_reason() -> None:
    why = codes.BACKTEST_NO_CANDLES(symbol="BTCUSDT")
    book = MemoryBook([job()])
    await worked(book, Scripted([why]))
    assert book.ends == [(1, "failed", None, why)]


async def test_a_person_s_answers_go_along_and_are_never_taken_from_another_s_result() -> None:
    wish = replace(WISH, kind="answers", account_id=3)
    book, worker = MemoryBook([job(1, wish)], known={"key 1": DONE}), Scripted([DONE])
    await worked(book, worker)
    assert len(worker.said[0]) == 1


async def test_a_question_that_was_answered_is_not_worked_out_again() -> None:
    book, worker = MemoryBook([job()], known={"key 1": DONE}), Scripted([])
    await worked(book, worker)
    assert book.ends == [(1, "done", DONE, None)]
    assert worker.said == []


async def test_who_wants_it_no_more_has_it_ended() -> None:
    book, worker = MemoryBook([job()], patience=0), Scripted([(1, 9), None])
    await worked(book, worker)
    assert book.ends == [(1, "cancelled", None, None)]
    assert worker.closed == 1


async def test_a_silent_worker_is_alive_and_is_told_that_nobody_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(works_module, "BEAT_S", 0.01)
    book, worker = MemoryBook([job()], patience=3), Scripted([None])
    await worked(book, worker)
    assert len(book.beats) == 4
    assert book.ends == [(1, "cancelled", None, None)]


async def test_an_end_of_the_process_leaves_it_to_be_claimed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(works_module, "BEAT_S", 0.01)
    monkeypatch.setattr(works_module, "LOOK_S", 0.01)
    book, worker, stop = MemoryBook([job()], away=1), Scripted([(1, 2), None]), asyncio.Event()
    loop = asyncio.get_running_loop()
    book.on_beat = lambda: loop.call_soon_threadsafe(stop.set)
    await BacktestWorks(book, worker, "x", SetClock(5)).run(stop)
    assert book.ends == []
    assert worker.closed == 1
