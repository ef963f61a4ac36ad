"""The book of models asked about the past: what the trader takes, asks within budgets, and writes down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from lib.domain.analyst_call import AnalystAnswer
from lib.domain.backtests import Wish
from lib.domain.model_profile import ModelProfile
from lib.domain.quarantine import DayUse, PastQuestion
from lib.domain.reason import Reason


@dataclass(frozen=True, slots=True)
class PastJob:
    """A job of *user_id* whose questions are to be asked; it has made *calls* for *usd* so far."""

    job_id: int
    user_id: int
    wish: Wish
    calls: int
    usd: Decimal


@dataclass(frozen=True, slots=True)
class PastCall:
    """One call for *job*'s *question* under *key*: who is asked, who pays (0 = the operator), what it may cost."""

    job: PastJob
    question: PastQuestion
    key: str
    profile: ModelProfile
    owner_id: int
    reserve: Decimal


class PastBook(Protocol):
    """Asynchronous, a short transaction a method. *Retry* = the database is away."""

    async def take(self, feed: str, now_ms: int) -> PastJob | None:
        """The job about *feed* that was served the longest ago, claimed now; or one whose process is silent."""
        ...

    async def beat(self, job_id: int, now_ms: int) -> bool:
        """Its process lives, and how far it is; False when it is wanted no more."""
        ...

    async def put_back(self, job_id: int, now_ms: int) -> None:
        """Others first; it goes on when its turn comes."""
        ...

    async def stamp(self, job_id: int, told: Mapping[str, object]) -> None:
        """Who is asked, and until when that model was trained, as pages tell it."""
        ...

    async def open_questions(self, job_id: int, most: int) -> Sequence[PastQuestion]:
        """The first that have no answer yet."""
        ...

    async def known(self, job_id: int, keys: Mapping[int, str], now_ms: int) -> set[int]:
        """Which questions, by their place, have an answer already that was paid for; it is theirs from now on."""
        ...

    async def used(self, job: PastJob, profile: ModelProfile, owner_id: int, now_ms: int) -> DayUse:
        """What was used of the day's budgets."""
        ...

    async def claim(self, call: PastCall, now_ms: int) -> bool:
        """
        Write the call down before it is made, with what it may cost; False while another process makes the same one.
        """
        ...

    async def conclude(self, call: PastCall, answer: AnalystAnswer, now_ms: int) -> None:
        """What came of it, and what it cost in the place of what it might have."""
        ...

    async def asked(self, job_id: int, now_ms: int) -> None:
        """Everything is answered: it waits to be replayed."""
        ...

    async def end(self, job_id: int, state: str, now_ms: int, why: Reason | None = None) -> None:
        """It is over before its end; what was answered stays."""
        ...
