"""The book of backtests: what people asked, how far it is and what came of it; and whoever works one out."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from lib.domain.backtests import State, Wish
from lib.domain.decision import Abstained, Decision
from lib.domain.quarantine import PastQuestion, Stage
from lib.domain.reason import Reason
from lib.domain.trail import Note


@dataclass(frozen=True, slots=True)
class Job:
    """A question about *feed* that somebody works on."""

    job_id: int
    user_id: int
    feed: str
    key: str
    wish: Wish
    stage: Stage = ""
    stamp: str = ""
    """JSON of who was asked, once somebody was."""
    calls: int = 0
    usd: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question: *result* as it is kept and shown (`lib.evidence.report`)."""

    result: dict[str, Any]

    @property
    def earned(self) -> Decimal:
        """A fraction of the start."""
        return Decimal(self.result["earned"])


@dataclass(frozen=True, slots=True)
class Said:
    """One recorded answer at *t_ms*: what the account was told, and what that cost."""

    t_ms: int
    decision: Decision | Abstained
    tokens: int
    failed: bool


class BacktestForms(Protocol):
    """What a person may do about their own backtests (synchronous), one transaction a method."""

    def ask(self, user_id: int, feed: str, wish: Wish, now_ms: int, note: Note | None = None) -> int | None:
        """
        The number of the person's backtest of *wish*, a new one unless it was asked before and has not failed; *note*
        goes into their trail with a new one.

        None while another one of theirs is not over: one that asks a model beside one that asks nobody.
        """
        ...

    def cancel(self, user_id: int, job_id: int, now_ms: int) -> bool:
        """Wanted no more; False when it is over already, or not the person's."""
        ...

    def hide(self, user_id: int, job_id: int, now_ms: int) -> bool:
        """Its result goes and nobody sees it again; that it was tried stays counted. False for none that is over."""
        ...

    def share(self, user_id: int, job_id: int, code_sha256: str, most: int) -> bool:
        """Let whoever knows the code see the result, in the place of a link before; False for none, or *most* are."""
        ...

    def unshare(self, user_id: int, job_id: int) -> bool:
        """The link opens nothing from now on; False when there is none."""
        ...


class BacktestBook(Protocol):
    """What a worker takes and brings (synchronous, short transactions). *Retry* when the database is away."""

    def take(self, feed: str, now_ms: int) -> Job | None:
        """The oldest question that waits, or whose worker has not been heard of for `SILENT_MS`, claimed now."""
        ...

    def beat(self, job_id: int, done: int, whole: int, now_ms: int) -> bool:
        """It is at *done* of *whole*; False when it is not wanted any more."""
        ...

    def end(
        self, job_id: int, state: State, now_ms: int, answer: Answer | None = None, why: Reason | None = None
    ) -> None:
        """It is over; what was over already stays as it ended."""
        ...

    def answered(self, key: str) -> Answer | None:
        """What came of the same question of no person's own data, whoever asked it."""
        ...

    def recorded(self, job: Job) -> Iterable[Said]:
        """The answers of the job's account within its days, or of its model, in order, read piece by piece."""
        ...

    def write_questions(self, job: Job, questions: Sequence[PastQuestion]) -> None:
        """More of what the job's model is to be asked; what was written of a start before is replaced."""
        ...

    def prepared(self, job: Job, now_ms: int) -> None:
        """Every question is written down: whoever holds the models' keys goes on."""
        ...

    def tested(self, job: Job, asks: int) -> list[list[Decision | Abstained | None]]:
        """The answers of a memory test, *asks* a window, window by window; None = none came."""
        ...

    def keep_test(self, job: Job, asked: str, windows: int, badges: Sequence[Reason], now_ms: int) -> None:
        """What a memory test found of the job's version × model, in the place of the one before."""
        ...


Heard = tuple[int, int] | Answer | Reason | list[PastQuestion]
"""(done, whole) while it goes on, questions to be asked; at the end what came of it, or why nothing did."""


class BacktestWorker(Protocol):
    """Works one question out, elsewhere and in nobody's way."""

    def work(self, wish: Wish, said: Iterable[Said], stage: Stage = "") -> AsyncIterator[Heard]:
        """
        *stage* "prepare" = tell its questions alone, and an empty answer at the end.

        Everything that is heard of it, the end last. Whoever goes on no longer closes the iterator, and it ends.
        *Retry* when it was cut off by somebody else.
        """
        ...
