"""Questions are worked out one after the other by somebody else; whatever becomes of them is written down."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from lib.domain import reason_codes as codes
from lib.domain.analyst_call import Prompt
from lib.domain.backtests import State, Wish
from lib.domain.day import DAY_MS
from lib.domain.decision import Abstained, Decision
from lib.domain.errors import Retry
from lib.domain.quarantine import PastQuestion, Stage
from lib.domain.reason import Reason
from lib.domain.stored_reason import stored
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
    questions: list[PastQuestion] = field(default_factory=list)
    ready: list[int] = field(default_factory=list)
    tests: list[tuple[str, int, tuple[Reason, ...]]] = field(default_factory=list)
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

    def write_questions(self, job: Job, questions: Sequence[PastQuestion]) -> None:
        self.questions += questions

    def prepared(self, job: Job, now_ms: int) -> None:
        self.ready.append(job.job_id)

    def tested(self, job: Job, asks: int) -> list[list[Decision | Abstained | None]]:
        hold = Decision("hold", Decimal(0), 1, "", Decimal(0), Decimal(0))
        return [[hold] * asks, [None] * asks, [hold] * (asks - 1)]

    def keep_test(self, job: Job, asked: str, windows: int, badges: Sequence[Reason], now_ms: int) -> None:
        self.tests.append((asked, windows, tuple(badges)))

    def recorded(self, job: Job) -> Iterable[Said]:
        return [Said(7, Abstained(codes.BACKTEST_NO_DECISION()), 1, False)]


@dataclass
class Scripted(BacktestWorker):
    """Tells *script*; None = waits for ever."""

    script: list[Heard | None]
    said: list[list[Said]] = field(default_factory=list)
    closed: int = 0

    async def work(self, wish: Wish, said: Iterable[Said], stage: Stage = "") -> AsyncIterator[Heard]:
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


JUNE_MS = 1_717_200_000_000  # 2024-06-01
ASKED = replace(WISH, kind="model", model="big", since_ms=JUNE_MS, until_ms=JUNE_MS + 30 * DAY_MS)
STAMP = '{"shown": "Big", "asked": "big-1", "cutoff": "2024-06-11"}'


async def test_questions_for_a_model_are_written_down_and_left_to_who_has_the_keys() -> None:
    some = [PastQuestion(n, n, Prompt("s", "u", "")) for n in range(3)]
    book = MemoryBook([replace(job(1, ASKED), stage="prepare")])
    await worked(book, Scripted([(0, 9), some, some, Answer({"questions": 6})]))
    assert (len(book.questions), book.ready, book.ends) == (6, [1], [])


async def test_what_a_model_said_is_replayed_and_stamped() -> None:
    book = MemoryBook([replace(job(1, ASKED), stage="replay", stamp=STAMP, calls=7)])
    worker = Scripted([DONE])
    await worked(book, worker)
    [(_, state, answer, _)] = book.ends
    assert state == "done"
    assert answer is not None
    told = {"shown": "Big", "asked": "big-1", "cutoff": "2024-06-11", "when": "across", "calls": 7, "usd": "0"}
    assert answer.result == DONE.result | {"quarantine": told}
    assert len(worker.said[0]) == 1


async def test_a_memory_test_ends_in_its_badges_kept_for_the_version() -> None:
    book = MemoryBook([replace(job(1, replace(ASKED, kind="memory")), stage="replay", stamp=STAMP)])
    await worked(book, Scripted([]))
    badges = (codes.MEMORY_FEW(windows=1, least=100),)
    assert book.tests == [("big-1", 1, badges)]
    [(_, state, answer, _)] = book.ends
    assert state == "done"
    assert answer is not None
    assert answer.result["badges"] == [stored(one) for one in badges]
    assert answer.result["quarantine"]["when"] == "across"


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
